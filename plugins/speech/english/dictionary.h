// Words and how they sound: one of a lexicon's two files.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "penstock/json.h"

namespace penstock::speech {

/// How a word sounds, by part of speech where that matters. An empty reading
/// is one that the lexicon says not to use.
struct Readings {
  std::string usual;
  std::vector<std::pair<std::string, std::string>> by_tag = {};

  /// That of the tag, else of its kind ("VERB" for "VBD"), else the usual one;
  /// nothing where that is none.
  [[nodiscard]] std::optional<std::u32string> of(const std::string& tag,
                                                 bool is_before_pause) const;
};

/// Any thread.
class Dictionary {
 public:
  /// Throws Error(kData).
  explicit Dictionary(const JsonView& view);

  /// Of the word as it stands, else with its first letter large or small; null:
  /// it is not there.
  [[nodiscard]] const Readings* find(std::u32string_view word) const;
  [[nodiscard]] bool has(std::u32string_view word) const {
    return find(word) != nullptr;
  }

 private:
  [[nodiscard]] const Readings* exactly(std::u32string_view word) const;

  std::unordered_map<std::string, Readings> words_;
};

/// "VERB" for VBD, "NOUN", "ADV", "ADJ"; others are their own.
[[nodiscard]] std::string kind_of_tag(const std::string& tag);

}  // namespace penstock::speech
