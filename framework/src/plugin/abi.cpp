#include "penstock/abi.h"

#include <algorithm>
#include <array>
#include <utility>

namespace penstock {

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs read_pairs(std::string_view text) {
  Pairs pairs;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find(';'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    if (pair.empty()) continue;
    const std::string_view key = pair.substr(0, pair.find('='));
    const std::size_t value = std::min(key.size() + 1, pair.size());
    pairs.emplace_back(key, pair.substr(value));
  }
  return pairs;
}

// A clang plugin works in a g++ host, a debug build in a release host.
bool is_compared(std::string_view key) {
  constexpr std::array<std::string_view, 2> kShown{"compiler", "build"};
  return std::find(kShown.begin(), kShown.end(), key) == kShown.end();
}

}  // namespace

std::string abi_value(std::string_view text, std::string_view key) {
  for (auto& [name, value] : read_pairs(text)) {
    if (name == key) return std::move(value);
  }
  return {};
}

std::vector<AbiFact> compare_abi(std::string_view library_text) {
  std::vector<AbiFact> facts;
  for (auto& [key, value] : read_pairs(kAbiText)) {
    facts.push_back({.key = key,
                     .library = abi_value(library_text, key),
                     .host = value,
                     .is_compared = is_compared(key)});
  }
  for (auto& [key, value] : read_pairs(library_text)) {
    if (key == "plugin" || !abi_value(kAbiText, key).empty()) continue;
    facts.push_back({.key = key,
                     .library = value,
                     .host = {},
                     .is_compared = is_compared(key)});
  }
  return facts;
}

}  // namespace penstock
