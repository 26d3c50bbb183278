// Item and Sequence: what Preprocess makes and what the engine runs.
//
// THE RULE that carries the loop: `Sequence::tokens` is the truth; Forward's
// state in the sequence's slot is a cache of a prefix of it. After each step
// the runtime cuts the state to the longest common prefix, or releases it and
// replays. The loop without a cache, chunked prefill, speculation, retries,
// preemption and prefix reuse are this rule, not special paths.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "penstock/request.h"
#include "penstock/token_set.h"
#include "penstock/value.h"

namespace penstock {

struct Draw;
class PreparedRule;

/// Decode's own memory of an item, shared by the item's branches.
struct PENSTOCK_API DecodeState {
  virtual ~DecodeState();
};

/// One piece of a request: a prompt, a picture, a window of sound.
struct Item {
  Tokens tokens;   ///< the prompt; empty for models without tokens
  Tensors inputs;  ///< without batch dim; shown to Forward in the first slice
  Notes notes;     ///< for Decode, Postprocess and the result
  int width = 1;   ///< branches that may run at once: beams, n answers

  // Set by the runtime:
  std::shared_ptr<const Request> request;
  std::int64_t index = 0;  ///< place among the request's items
  std::unique_ptr<DecodeState> state;
  /// What the request asks of each of the pipeline's rules; null: nothing.
  std::vector<std::shared_ptr<const PreparedRule>> rules;
};

inline constexpr std::int64_t kLast = -1;  ///< Want::from: the last token on
inline constexpr std::int64_t kNone = -2;  ///< Want::from: nothing

/// What Decode needs of a sequence's next step, said BEFORE it, so that Forward
/// computes the vocabulary projection once, for all sequences, in known memory.
struct Want {
  /// Scores of the tokens [from, end). kLast: of the last accepted token and
  /// the draft.
  std::int64_t from = kLast;
  std::int64_t top = 0;  ///< the best k, exact, best first
  bool full = false;     ///< every score
  bool norm = false;     ///< log-sum-exp over the vocabulary
  bool follow = false;  ///< the score of the token that follows in the sequence
  bool hidden = false;  ///< the state that the scores come from
  Tokens ids;           ///< the scores of these
  /// What may follow the i-th scored token, and the only scores that are
  /// computed; null, or behind the last: every token. The score of a token that
  /// is not allowed is -inf: it is not among the best, where there are fewer
  /// than asked the rest is id -1; `norm` is over the allowed.
  std::vector<std::shared_ptr<const TokenSet>> allowed = {};
  /// How the token behind the last accepted one will be chosen (draw.h), for a
  /// Forward that runs ahead; null: not said.
  std::shared_ptr<const Draw> draw = nullptr;
};

/// One running sequence, a branch of an item. Runtime owns and edits it, on
/// the engine thread only; plugins read.
struct Sequence {
  Item* item = nullptr;
  int branch = 0;
  int slot = -1;            ///< dense index of Forward's state; -1: waiting
  Tokens tokens;            ///< prompt and accepted tokens
  Tokens draft;             ///< then guesses to verify
  std::int64_t cached = 0;  ///< tokens [0, cached) are in the slot
  bool is_fresh = true;     ///< slot is empty: inputs must be shown
  Tensors inputs;           ///< next step's inputs that Decode set
  Want want;
  Time since;  ///< when it began to wait

  /// Token i of tokens and draft together.
  [[nodiscard]] std::int64_t token(std::int64_t i) const {
    const auto n = static_cast<std::int64_t>(tokens.size());
    return i < n ? tokens[static_cast<std::size_t>(i)]
                 : draft[static_cast<std::size_t>(i - n)];
  }
  [[nodiscard]] std::int64_t length() const {
    return static_cast<std::int64_t>(tokens.size() + draft.size());
  }
  /// The first token whose scores are wanted; kAll: none.
  [[nodiscard]] std::int64_t first_scored() const {
    if (want.from == kNone) return kAll;
    const auto last = static_cast<std::int64_t>(tokens.size()) - 1;
    return want.from == kLast ? last : want.from;
  }
  /// What may follow token i, as `want` has it; null: every token.
  [[nodiscard]] const TokenSet* allowed_after(std::int64_t i) const {
    const std::int64_t at = i - first_scored();
    const bool is_said =
        at >= 0 && at < static_cast<std::int64_t>(want.allowed.size());
    return is_said ? want.allowed[static_cast<std::size_t>(at)].get() : nullptr;
  }
  /// Tokens accepted beyond the prompt.
  [[nodiscard]] std::int64_t generated() const {
    return static_cast<std::int64_t>(tokens.size() - item->tokens.size());
  }
};

}  // namespace penstock
