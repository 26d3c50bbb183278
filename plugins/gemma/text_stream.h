// Token ids to text, as they come: bytes that do not yet make up a character
// are held back.
#pragma once

#include <memory>
#include <string>

#include "gemma/tokenizer.h"

namespace penstock::gemma {

class TextStream {
 public:
  explicit TextStream(std::shared_ptr<const Tokenizer> tokenizer)
      : tokenizer_(std::move(tokenizer)) {}

  /// The text that this id completes; often its own, sometimes none.
  [[nodiscard]] std::string add(std::int64_t id);
  /// What was held back, broken bytes as U+FFFD.
  [[nodiscard]] std::string finish();

 private:
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::string bytes_;  ///< of byte pieces, not yet a character
};

}  // namespace penstock::gemma
