// Tokens to the words that are read as one, each of its parts: "R2D2",
// "iPhone's", "$5".
#pragma once

#include <vector>

#include "speech/english/pattern.h"
#include "speech/english/token.h"

namespace penstock::speech {

/// Any thread.
class Subtokens {
 public:
  Subtokens();

  /// Of a sentence's tagged tokens. Signs have their phonemes already.
  [[nodiscard]] std::vector<Word> operator()(
      const std::vector<Token>& tokens) const;

 private:
  [[nodiscard]] Word parts_of(const Token& token) const;

  Pattern part_;
};

}  // namespace penstock::speech
