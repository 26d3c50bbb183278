// Text to tokens by the rules of spaCy's English: signs around a word are
// peeled off, contractions are taken apart, and what is listed as one stays.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "penstock/json.h"
#include "speech/english/pattern.h"
#include "speech/english/token.h"

namespace penstock::speech {

/// Any thread.
class Tokenizer {
 public:
  /// `exceptions`: "don't": ["do", "n't"]. Throws Error(kData).
  explicit Tokenizer(const JsonView& exceptions);

  /// Tokens without tags. What stands between blanks is cut after kMostWord
  /// characters: nobody says such a word.
  [[nodiscard]] std::vector<Token> operator()(std::u32string_view text) const;

  static constexpr std::size_t kMostWord = 120;

 private:
  using Texts = std::vector<std::u32string>;

  [[nodiscard]] const Texts* exception(std::u32string_view text) const;
  [[nodiscard]] Texts split(std::u32string_view chunk) const;
  void add_middle(std::u32string_view text, Texts& out) const;
  [[nodiscard]] Texts rejoined(const Texts& texts) const;

  std::map<std::u32string, Texts, std::less<>> exceptions_;
  Pattern address_;
};

}  // namespace penstock::speech
