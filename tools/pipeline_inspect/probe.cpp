#include "pipeline_inspect/probe.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <system_error>
#include <thread>

#include "penstock/error.h"
#include "pipeline_inspect/probe_child.h"

namespace penstock::inspect {

namespace {

constexpr std::chrono::seconds kLimit(5);
constexpr std::chrono::milliseconds kLook(2);

/// A file in memory: the child can fill it without anybody reading.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(memfd_create("pipeline-inspect", MFD_CLOEXEC)) {
    if (descriptor_ < 0) {
      throw Error(Code::kRetry, str("cannot make a file in memory: ",
                                    std::generic_category().message(errno)));
    }
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { close(descriptor_); }

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] std::string text() const {
    std::string text;
    std::array<char, 4096> piece{};
    for (;;) {
      const ssize_t got = pread(descriptor_, piece.data(), piece.size(),
                                static_cast<off_t>(text.size()));
      if (got <= 0) return text;
      text.append(piece.data(), static_cast<std::size_t>(got));
    }
  }

 private:
  int descriptor_;
};

/// Starts this program again; its output goes to `noise`, its answer to
/// `result`.
pid_t start_child(std::vector<std::string> words, const MemoryFile& result,
                  const MemoryFile& noise) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, noise.descriptor(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, noise.descriptor(), STDERR_FILENO);
  posix_spawn_file_actions_adddup2(&actions, result.descriptor(), kResult);
  pid_t child = 0;
  const int failed = posix_spawn(&child, "/proc/self/exe", &actions, nullptr,
                                 arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    throw Error(Code::kRetry, str("cannot start a child process: ",
                                  std::generic_category().message(failed)));
  }
  return child;
}

/// The status waitpid gives; unset: it was killed after the limit.
std::optional<int> wait_for(pid_t child) {
  const auto end = std::chrono::steady_clock::now() + kLimit;
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > end) {
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      return std::nullopt;
    }
    std::this_thread::sleep_for(kLook);
  }
  return status;
}

/// The last line of what the child printed, for the error.
std::string last_words(const std::string& noise) {
  const std::size_t end = noise.find_last_not_of(" \n\r\t");
  if (end == std::string::npos) return {};
  const std::size_t start = noise.rfind('\n', end);
  constexpr std::size_t kLongest = 200;
  std::string line = noise.substr(start == std::string::npos ? 0 : start + 1);
  line.resize(std::min({line.size(), kLongest, line.find('\n')}));
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < ' ') c = '?';
  }
  return "; it printed: " + line;
}

[[noreturn]] void fail_broken(const Question& question,
                              std::optional<int> status,
                              const std::string& noise) {
  std::string what = "ended the process that opened it (";
  if (!status) {
    what = str("was still being opened after ", kLimit.count(),
               " s (a constructor or add_stages that waits");
  } else if (WIFSIGNALED(*status)) {
    what +=
        str("signal ", WTERMSIG(*status), ", ", strsignal(WTERMSIG(*status)));
  } else {
    what += str("exit status ", WEXITSTATUS(*status));
  }
  const std::string plugin = question.use.substr(0, question.use.find('.'));
  throw Error(Code::kInternal,
              str("plugin '", plugin, "' ", what, ")", last_words(noise),
                  "; that is for its author to mend"));
}

}  // namespace

std::string ask(const Question& question) {
  const MemoryFile result;
  const MemoryFile noise;
  std::vector<std::string> words{"pipeline-inspect", kProbeFlag, question.form,
                                 question.use};
  for (const auto& folder : question.folders) words.push_back(folder.string());
  const pid_t child = start_child(std::move(words), result, noise);
  const std::optional<int> status = wait_for(child);
  std::string text = result.text();
  // The answer is the last thing a child writes: none means it did not get so
  // far, whatever its exit status says.
  if (!status || !WIFEXITED(*status) || text.empty()) {
    fail_broken(question, status, noise.text());
  }
  const int code = WEXITSTATUS(*status);
  if (code != 0) throw Error(static_cast<Code>(code), text);
  return text;
}

}  // namespace penstock::inspect
