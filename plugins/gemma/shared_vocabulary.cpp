#include "gemma/shared_vocabulary.h"

#include <algorithm>
#include <utility>

namespace penstock::gemma {

SharedVocabulary::SharedVocabulary(std::shared_ptr<const Tokenizer> tokenizer)
    : tokenizer_(std::move(tokenizer)) {}

std::int64_t SharedVocabulary::size() const { return tokenizer_->size(); }

std::string SharedVocabulary::bytes(std::int64_t id) const {
  const auto& words = tokenizer_->control_words();
  const bool is_control =
      std::any_of(words.begin(), words.end(),
                  [&](const auto& word) { return word.id == id; });
  if (is_control || tokenizer_->spelling(id).starts_with("<unused")) return "";
  return tokenizer_->piece(id).text;
}

Tokens SharedVocabulary::encode(std::string_view text) const {
  return tokenizer_->encode(text);
}

}  // namespace penstock::gemma
