// A token: a word, a part of one, a sign or a number, on its way to phonemes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::speech {

struct Token {
  std::u32string text;
  std::string tag;         ///< part of speech, Penn Treebank's
  bool has_blank = false;  ///< behind it
  std::optional<std::u32string> phonemes = {};
  std::optional<std::u32string> alias = {};  ///< read as this
  bool is_head = true;                       ///< begins its word
  bool is_apart = false;                     ///< a blank before its phonemes
  char32_t currency = 0;  ///< the sign before the number, or 0
};
/// What stands between two blanks.
using Word = std::vector<Token>;

/// The tokens [first, last) as one, without phonemes; at least one of them.
[[nodiscard]] Token joined(const Word& word, std::size_t first,
                           std::size_t last);

}  // namespace penstock::speech
