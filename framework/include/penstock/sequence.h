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

#include "penstock/request.h"
#include "penstock/value.h"

namespace penstock {

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
  /// Tokens accepted beyond the prompt.
  [[nodiscard]] std::int64_t generated() const {
    return static_cast<std::int64_t>(tokens.size() - item->tokens.size());
  }
};

}  // namespace penstock
