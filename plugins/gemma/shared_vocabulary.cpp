#include "gemma/shared_vocabulary.h"

#include <algorithm>
#include <utility>

namespace penstock::gemma {
namespace {

constexpr std::size_t kMostKnown = 4096, kMostKnownBytes = 64;

/// What the model writes itself, around a call and its texts.
bool is_of_call(const std::string& word) {
  return word == "<start_function_call>" || word == "<end_function_call>" ||
         word == "<escape>";
}

}  // namespace

SharedVocabulary::SharedVocabulary(std::shared_ptr<const Tokenizer> tokenizer)
    : tokenizer_(std::move(tokenizer)) {}

std::int64_t SharedVocabulary::size() const { return tokenizer_->size(); }

std::string SharedVocabulary::bytes(std::int64_t id) const {
  const auto& words = tokenizer_->control_words();
  const bool is_control =
      std::any_of(words.begin(), words.end(), [&](const auto& word) {
        return word.id == id && !is_of_call(word.spelling);
      });
  if (is_control || tokenizer_->spelling(id).starts_with("<unused")) return "";
  return tokenizer_->piece(id).text;
}

Tokens SharedVocabulary::encode(std::string_view text) const {
  if (text.size() > kMostKnownBytes) return tokenizer_->encode(text);
  std::string key(text);
  {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(key);
    if (found != known_.end()) return found->second;
  }
  Tokens cut = tokenizer_->encode(text);
  const std::lock_guard lock(mutex_);
  if (known_.size() >= kMostKnown) known_.clear();
  known_.emplace(std::move(key), cut);
  return cut;
}

}  // namespace penstock::gemma
