#include "config/problems.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "penstock/pipeline_file.h"

namespace penstock {

namespace {

std::string lines(const std::vector<std::string>& problems) {
  std::string out;
  for (const auto& problem : problems) {
    if (!out.empty()) out += '\n';
    out += problem;
  }
  return out;
}

}  // namespace

ConfigError::ConfigError(std::vector<std::string> problems, Code code)
    : Error(code, lines(problems)), problems_(std::move(problems)) {}

ConfigError::~ConfigError() = default;

namespace config {

void Problems::add(Mark at, std::string text, Code code) {
  // A problem is one line, whatever a stage's author or a key says.
  std::replace(text.begin(), text.end(), '\n', ' ');
  found_.push_back({at, place(at) + ": " + std::move(text), code});
}

void Problems::add_whole(std::string text) {
  found_.push_back({Mark{0, 0}, path_ + ": " + std::move(text), Code::kData});
}

void Problems::add_override(const std::string& who, const std::string& text) {
  found_.push_back({std::nullopt, who + ": " + text, Code::kData});
}

void Problems::add_elsewhere(std::string line) {
  found_.push_back({std::nullopt, std::move(line), Code::kData});
}

std::string Problems::place(Mark at) const {
  return str(path_, ":", at.line, ":", at.column);
}

void Problems::throw_if_any() const {
  if (found_.empty()) return;
  auto sorted = found_;
  const auto order = [](const Problem& problem) {
    const Mark at = problem.at.value_or(Mark{});
    return std::tuple(!problem.at.has_value(), at.line, at.column);
  };
  std::stable_sort(
      sorted.begin(), sorted.end(),
      [&](const auto& a, const auto& b) { return order(a) < order(b); });
  std::vector<std::string> texts;
  std::set<std::string> seen;
  Code code = sorted.front().code;
  for (const auto& problem : sorted) {
    if (problem.code != code) code = Code::kData;
    // An alias shows one fault of the file several times.
    if (seen.insert(problem.text).second) texts.push_back(problem.text);
  }
  throw ConfigError(std::move(texts), code);
}

}  // namespace config
}  // namespace penstock
