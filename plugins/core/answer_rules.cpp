#include "core/answer_rules.h"

#include <utility>

namespace penstock::core {
namespace {

void add(Ruling more, Ruling& all) {
  for (const auto& [id, bias] : more.biases) all.biases[id] += bias;
  if (!more.allowed) return;
  if (!all.allowed) {
    all.allowed = std::move(more.allowed);
    return;
  }
  all.allowed =
      std::make_shared<const TokenSet>(common(*all.allowed, *more.allowed));
}

}  // namespace

AnswerRules::AnswerRules(const Item& item) {
  for (const auto& rule : item.rules) {
    if (rule) rules_.push_back(rule->begin());
  }
}

Ruling AnswerRules::look(std::span<const std::int64_t> answer) {
  Ruling all;
  for (const auto& rule : rules_) add(rule->look(answer), all);
  return all;
}

Tokens AnswerRules::foresee(std::span<const std::int64_t> answer,
                            std::int64_t most) {
  for (const auto& rule : rules_) {
    Tokens foreseen = rule->foresee(answer, most);
    if (!foreseen.empty()) return foreseen;
  }
  return {};
}

}  // namespace penstock::core
