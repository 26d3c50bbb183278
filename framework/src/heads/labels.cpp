// The names of classes, as exporters write them into metadata: a line each
// (PaddleOCR), a list with commas, JSON, or Python's {0: 'person', ...} (YOLO).
#include <algorithm>
#include <string_view>

#include "penstock/model_head.h"

namespace penstock {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto begin = std::min(text.find_first_not_of(" \t\r"), text.size());
  text.remove_prefix(begin);
  const auto end = text.find_last_not_of(" \t\r");
  return text.substr(0, end == text.npos ? 0 : end + 1);
}

/// The texts in quotes of a JSON or Python list or map: of a map its values.
std::vector<std::string> quoted(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const char quote = text.front();
    text.remove_prefix(1);
    if (quote != '"' && quote != '\'') continue;
    std::string& word = out.emplace_back();
    while (!text.empty() && text.front() != quote) {
      if (text.front() == '\\' && text.size() > 1) text.remove_prefix(1);
      word += text.front();
      text.remove_prefix(1);
    }
    if (!text.empty()) text.remove_prefix(1);
    // "0": "person": what came was a key.
    if (trimmed(text).starts_with(':')) out.pop_back();
  }
  return out;
}

std::vector<std::string> split(std::string_view text, char between) {
  std::vector<std::string> out;
  while (true) {
    const auto end = std::min(text.find(between), text.size());
    const std::string_view word = text.substr(0, end);
    out.emplace_back(between == ',' ? trimmed(word) : word);
    if (end == text.size()) return out;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string> labels_in(const std::string& text) {
  const std::string_view bare = trimmed(text);
  if (bare.starts_with('{') || bare.starts_with('[')) return quoted(bare);
  if (text.find('\n') != std::string::npos) {
    std::string_view lines = text;
    if (lines.ends_with('\n')) lines.remove_suffix(1);
    return split(lines, '\n');
  }
  return bare.empty() ? std::vector<std::string>() : split(bare, ',');
}

}  // namespace

std::vector<std::string> labels_of(const ModelHead& head) {
  for (const char* key : {"character", "labels", "names"}) {
    for (const auto& [name, text] : head.metadata) {
      if (name != key) continue;
      auto labels = labels_in(text);
      if (!labels.empty()) return labels;
    }
  }
  return {};
}

}  // namespace penstock
