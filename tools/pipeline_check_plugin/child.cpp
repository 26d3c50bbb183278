#include "pipeline_check_plugin/child.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <optional>
#include <sstream>
#include <system_error>
#include <thread>

#include "common/memory_file.h"
#include "penstock/error.h"

namespace penstock::check {
namespace {

constexpr int kResult = 3;
constexpr std::chrono::milliseconds kLook(5);
constexpr std::size_t kLongest = 200;

struct Files {
  MemoryFile result, out, err;
};

pid_t start(std::vector<std::string> words, const Files& files) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  for (const auto& [from, to] :
       {std::pair{files.out.descriptor(), 1},
        std::pair{files.err.descriptor(), 2},
        std::pair{files.result.descriptor(), kResult}}) {
    posix_spawn_file_actions_adddup2(&actions, from, to);
  }
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

/// Its status as waitpid gives it; nothing: it did not end in time.
std::optional<int> wait_for(pid_t child, std::chrono::seconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > end) {
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      return {};
    }
    std::this_thread::sleep_for(kLook);
  }
  return status;
}

/// On one line, not too long.
std::string shown(std::string text) {
  text.resize(std::min(text.size(), kLongest));
  const auto end = text.find_last_not_of(" \n");
  text.resize(end == std::string::npos ? 0 : end + 1);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return text;
}

Findings parsed(const std::string& lines, const std::string& about) {
  Findings findings;
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);) {
    if (line.size() < 2) continue;
    const int level = line[0] - '0';
    findings.push_back({.level = static_cast<Level>(std::clamp(level, 0, 2)),
                        .about = about,
                        .text = line.substr(2)});
  }
  return findings;
}

std::string how_it_ended(const std::optional<int>& status,
                         std::chrono::seconds patience) {
  if (!status) {
    return str("did not come to an end in ", patience.count(),
               " s; --patience gives it longer");
  }
  if (WIFSIGNALED(*status)) {
    return str("ended the process: ", strsignal(WTERMSIG(*status)));
  }
  return str("ended the process with exit status ", WEXITSTATUS(*status));
}

}  // namespace

std::string line_of(const Finding& finding) {
  return str(static_cast<int>(finding.level), " ", shown(finding.text), "\n");
}

Findings in_child(const std::filesystem::path& folder,
                  const std::string& plugin, const std::string& stage,
                  std::chrono::seconds patience) {
  const Files files;
  const auto status =
      wait_for(start({"pipeline-check-plugin", kChildFlag, folder.string(),
                      plugin, stage, std::to_string(kResult)},
                     files),
               patience);
  const std::string about = stage.empty() ? "library" : stage;
  Findings findings = parsed(files.result.text(), about);
  const bool has_ended =
      status && WIFEXITED(*status) && WEXITSTATUS(*status) == 0;
  if (!has_ended) {
    const std::string last = shown(files.err.text());
    findings.push_back({.level = Level::kFault,
                        .about = about,
                        .text = how_it_ended(status, patience) +
                                (last.empty() ? "" : "; it printed: " + last)});
  }
  if (const std::string out = shown(files.out.text()); !out.empty()) {
    findings.push_back(
        {.level = Level::kFault,
         .about = about,
         .text = "writes to stdout, where results stand: " + out});
  }
  return findings;
}

}  // namespace penstock::check
