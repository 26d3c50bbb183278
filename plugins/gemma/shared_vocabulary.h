// The tokenizer as other stages of the pipeline see it.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "gemma/tokenizer.h"
#include "penstock/vocabulary.h"

namespace penstock::gemma {

class SharedVocabulary final : public penstock::Vocabulary {
 public:
  explicit SharedVocabulary(std::shared_ptr<const Tokenizer> tokenizer);

  [[nodiscard]] std::int64_t size() const override;
  /// Nothing also for what only templates write, and for unused tokens.
  [[nodiscard]] std::string bytes(std::int64_t id) const override;
  [[nodiscard]] Tokens encode(std::string_view text) const override;

 private:
  std::shared_ptr<const Tokenizer> tokenizer_;
  /// Short texts that were cut: what grammars force comes again in each answer.
  mutable std::mutex mutex_;
  mutable std::unordered_map<std::string, Tokens> known_;
};

}  // namespace penstock::gemma
