// A checked JSON schema as xgrammar takes it: in fewer keywords, and without
// what it would do otherwise.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "penstock/json.h"

namespace penstock::grammar {

/// Characters of a string; most < 0: any number.
struct TextLength {
  std::int64_t least = 0, most = -1;

  friend bool operator==(const TextLength&, const TextLength&) = default;
};

struct LoweredSchema {
  std::string text;
  /// A const of it and a number stands for a string of that one of `lengths`;
  /// of it, "n" and a number, for a name that is none of those of `names`.
  std::string marker;
  std::vector<TextLength> lengths;
  std::vector<std::vector<std::string>> names;
};

/// `source`: the text that `root` was read from.
[[nodiscard]] LoweredSchema lower_schema(const JsonView& root,
                                         const std::string& source);

}  // namespace penstock::grammar
