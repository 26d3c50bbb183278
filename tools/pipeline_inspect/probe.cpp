#include "pipeline_inspect/probe.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <sstream>
#include <system_error>
#include <thread>

#include "common/memory_file.h"
#include "penstock/error.h"
#include "pipeline_inspect/probe_child.h"

namespace penstock::inspect {

namespace {

constexpr std::chrono::milliseconds kLook(2);

/// What a child leaves behind.
struct Files {
  MemoryFile result, warnings;
  MemoryFile noise;  ///< what it printed
};

/// Starts this program again.
pid_t start_child(std::vector<std::string> words, const Files& files) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, files.noise.descriptor(),
                                   STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, files.noise.descriptor(),
                                   STDERR_FILENO);
  posix_spawn_file_actions_adddup2(&actions, files.result.descriptor(),
                                   kResult);
  posix_spawn_file_actions_adddup2(&actions, files.warnings.descriptor(),
                                   kWarnings);
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

/// How a child ended.
struct Ended {
  int status = 0;           ///< as waitpid gives it
  bool was_patient = true;  ///< false: it was killed, its time was over
  std::int64_t computed_s = 0;
};

Ended wait_for(pid_t child, std::chrono::seconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  Ended ended;
  rusage used{};
  while (wait4(child, &ended.status, WNOHANG, &used) == 0) {
    if (std::chrono::steady_clock::now() > end) {
      ended.was_patient = false;
      kill(child, SIGKILL);
      wait4(child, &ended.status, 0, &used);
      break;
    }
    std::this_thread::sleep_for(kLook);
  }
  ended.computed_s = used.ru_utime.tv_sec + used.ru_stime.tv_sec;
  return ended;
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

std::string how_it_ended(const Question& question, const Ended& ended) {
  if (!ended.was_patient) {
    return str("was still being opened after ", question.patience.count(),
               " s (a constructor or add_stages that waits; --patience gives "
               "it longer)");
  }
  if (!WIFSIGNALED(ended.status)) {
    return str("ended the process that opened it (exit status ",
               WEXITSTATUS(ended.status), ")");
  }
  const int signal = WTERMSIG(ended.status);
  const bool is_limit = signal == SIGXCPU || signal == SIGKILL;
  if (is_limit && ended.computed_s >= kMostSeconds) {
    return str("was still being opened after ", kMostSeconds,
               " s of processor time (a constructor or add_stages without an "
               "end)");
  }
  return str("ended the process that opened it (signal ", signal, ", ",
             strsignal(signal), ")");
}

[[noreturn]] void fail_broken(const Question& question, const Ended& ended,
                              const std::string& noise) {
  const std::string plugin = question.use.substr(0, question.use.find('.'));
  throw Error(Code::kInternal,
              str("plugin '", plugin, "' ", how_it_ended(question, ended),
                  last_words(noise), "; that is for its author to mend"));
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream rest(text);
  for (std::string line; std::getline(rest, line);) lines.push_back(line);
  return lines;
}

}  // namespace

Answer ask(const Question& question) {
  const Files files;
  std::vector<std::string> words{"pipeline-inspect", kProbeFlag, question.form,
                                 question.use};
  for (const auto& folder : question.folders) words.push_back(folder.string());
  const pid_t child = start_child(std::move(words), files);
  const Ended ended = wait_for(child, question.patience);
  std::string text = files.result.text();
  // The answer is the last thing a child writes: none means it did not get so
  // far, whatever its exit status says.
  if (!WIFEXITED(ended.status) || text.empty()) {
    fail_broken(question, ended, files.noise.text());
  }
  const int code = WEXITSTATUS(ended.status);
  if (code != 0) throw Error(static_cast<Code>(code), text);
  return {.stages = std::move(text),
          .warnings = lines_of(files.warnings.text())};
}

}  // namespace penstock::inspect
