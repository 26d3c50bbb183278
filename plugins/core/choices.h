// core.choices: the answer is one of some texts.
#pragma once

#include <string>
#include <vector>

#include "penstock/rule.h"
#include "penstock/vocabulary.h"

namespace penstock::core {

/// Needs the vocabulary that a stage before it shares. Each text is cut into
/// tokens as the model's tokenizer cuts it; the model chooses where two part.
class Choices final : public Rule {
 public:
  struct Params {
    std::vector<std::string> choices = {};
  };
  static void declare(Declaration<Choices>& d);
  explicit Choices(const Params& params) : has_some_(!params.choices.empty()) {}

  /// Few tokens are left to choose from: no more scores are computed.
  [[nodiscard]] Footprint memory(
      const StageContext& /*context*/) const override {
    return {.best_scores = has_some_ ? 0 : 1};
  }
  void open(StageContext& context) override;
  [[nodiscard]] std::shared_ptr<const PreparedRule> prepare(
      const Request& request) const override;

 private:
  bool has_some_;  ///< for requests that name none
  std::shared_ptr<const Vocabulary> vocabulary_;
  Tokens ends_;
};

/// What is wrong with the texts; "": nothing.
[[nodiscard]] std::string conflict(const Choices::Params& params);

}  // namespace penstock::core
