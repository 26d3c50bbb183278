// Rule: which tokens may an answer go on with?
//
// Rules stand before the decode stage, in a list:
//
//   decode: [{use: core.choices, choices: [yes, no]}, {use: core.sample}]
//
// and say before each step what the next token may be. Forward then computes
// no other's score, and Decode picks as it always does.
#pragma once

#include <map>
#include <memory>
#include <span>

#include "penstock/stage.h"
#include "penstock/token_set.h"

namespace penstock {

/// What a rule says of one next token.
struct Ruling {
  /// Null: every token. Empty: the answer is whole, nothing may follow.
  std::shared_ptr<const TokenSet> allowed = nullptr;
  /// Added to the scores of these.
  std::map<std::int64_t, float> biases = {};
};

/// One answer under a rule. One thread at a time, while others look at other
/// answers. As Forward's state, what it remembers is a cache: the tokens it is
/// given are the truth. From one call to
/// the next they mostly grow by some, but guesses are looked at and left again.
class PENSTOCK_API RuledAnswer {
 public:
  virtual ~RuledAnswer();
  /// What may follow `answer`, of which each token was allowed. Never empty for
  /// an answer without tokens.
  [[nodiscard]] virtual Ruling look(std::span<const std::int64_t> answer) = 0;
  /// At most `most` tokens that will probably follow, such as what a grammar
  /// leaves no choice about. They are checked in one step, as every draft, and
  /// change nothing but the time that it takes.
  [[nodiscard]] virtual Tokens foresee(std::span<const std::int64_t> /*answer*/,
                                       std::int64_t /*most*/) {
    return {};
  }
};

/// What a request asks of a rule, ready for use. Immutable.
class PENSTOCK_API PreparedRule {
 public:
  virtual ~PreparedRule();
  /// Engine thread; once for each answer.
  [[nodiscard]] virtual std::unique_ptr<RuledAnswer> begin() const = 0;
};

class PENSTOCK_API Rule : public Stage {
 public:
  static constexpr StageKind kKind = StageKind::kRule;
  /// A preprocess worker, several at once; once a request, before its items.
  /// Null: the request asks nothing.
  [[nodiscard]] virtual std::shared_ptr<const PreparedRule> prepare(
      const Request& request) const = 0;
};

}  // namespace penstock
