// The rules of one answer: those that the pipeline has and the request uses.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "penstock/rule.h"
#include "penstock/sequence.h"

namespace penstock::core {

class AnswerRules {
 public:
  /// Begins an answer to the item.
  explicit AnswerRules(const Item& item);

  [[nodiscard]] bool are_none() const { return rules_.empty(); }
  /// What all of them allow, and their biases together.
  [[nodiscard]] Ruling look(std::span<const std::int64_t> answer);
  /// Of the first that foresees something.
  [[nodiscard]] Tokens foresee(std::span<const std::int64_t> answer,
                               std::int64_t most);

 private:
  std::vector<std::unique_ptr<RuledAnswer>> rules_;
};

}  // namespace penstock::core
