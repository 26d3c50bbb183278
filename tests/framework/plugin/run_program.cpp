#include "tests/framework/plugin/run_program.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <map>
#include <memory>
#include <stdexcept>
#include <utility>

namespace penstock {
namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

std::string read_all(std::FILE* file) {
  std::string text;
  std::rewind(file);
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) {
    text += static_cast<char>(c);
  }
  return text;
}

/// Each name once: of several, getenv() takes the first and the loader the
/// last.
std::vector<std::string> variables_with(const std::vector<std::string>& given) {
  std::map<std::string, std::string> by_name;
  const auto take = [&](const std::string& variable) {
    by_name[variable.substr(0, variable.find('='))] = variable;
  };
  for (char** variable = environ; *variable != nullptr; ++variable) {
    take(*variable);
  }
  for (const std::string& variable : given) take(variable);
  std::vector<std::string> out;
  for (auto& [name, variable] : by_name) out.push_back(std::move(variable));
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  all.reserve(words.size() + 1);
  for (std::string& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

}  // namespace

Ran run_program(const std::vector<std::string>& command,
                const std::vector<std::string>& environment) {
  const File out(std::tmpfile(), &std::fclose);
  const File err(std::tmpfile(), &std::fclose);
  std::vector<std::string> words = command;
  std::vector<std::string> variables = variables_with(environment);
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, fileno(out.get()), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fileno(err.get()), STDERR_FILENO);
  pid_t child = 0;
  const int failed =
      posix_spawn(&child, words.front().c_str(), &actions, nullptr,
                  pointers(words).data(), pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::runtime_error("cannot start " + words.front());
  int status = 0;
  waitpid(child, &status, 0);
  return {
      .code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
      .out = read_all(out.get()),
      .err = read_all(err.get())};
}

}  // namespace penstock
