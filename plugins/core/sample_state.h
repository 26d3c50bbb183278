// What core.sample remembers of an item, and how it looks at a step.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/answer_rules.h"
#include "core/lookup.h"
#include "core/sample.h"
#include "penstock/random.h"

namespace penstock::core {

/// The number that picks the answer's token at a position, in [0, 1).
[[nodiscard]] inline double random_of(const SampleParams& params,
                                      std::int64_t branch,
                                      std::int64_t position) {
  return uniform(static_cast<std::uint64_t>(params.seed),
                 static_cast<std::uint64_t>(branch),
                 static_cast<std::uint64_t>(position));
}

/// One of an item's answers.
struct SampleDecode::Branch {
  AnswerRules rules;
  std::optional<Lookup> lookup;  ///< where guesses are asked for
  /// What the rules say of each token that the next step scores; empty: there
  /// are no rules.
  std::vector<Ruling> rulings = {};
  bool has_guess = false;  ///< the draft is the lookup's
};

struct SampleDecode::State final : DecodeState {
  State(Rules made, const Params& params, const Item& item);

  Rules rules;
  std::vector<Branch> branches;
};

struct SampleDecode::View {
  std::size_t index = 0;
  const Slice& slice;
  const Scores& scores;
  State& state;
  const Params& params;

  [[nodiscard]] const Sequence& sequence() const { return *slice.sequence; }
  [[nodiscard]] const Rules& rules() const { return state.rules; }
  [[nodiscard]] Branch& own() const {
    return state.branches.at(static_cast<std::size_t>(sequence().branch));
  }
  [[nodiscard]] std::int64_t prompt() const {
    return static_cast<std::int64_t>(sequence().item->tokens.size());
  }
  [[nodiscard]] std::span<const std::int64_t> answer(
      const Tokens& tokens) const {
    return std::span(tokens).subspan(static_cast<std::size_t>(prompt()));
  }
  /// Of the token after `tokens`, with what a ruling adds.
  [[nodiscard]] Edits edits(const Tokens& tokens, const Ruling& ruling) const;
  /// What may follow `tokens`, the sequence's and `ahead` more of its draft.
  /// Nothing where others may equal the last of the best.
  [[nodiscard]] std::optional<Candidates> candidates(
      std::int64_t ahead, const Tokens& tokens) const;
  /// How many of the tokens stand in the draft, from its beginning.
  [[nodiscard]] std::int64_t foreseen(const Tokens& more) const;
  [[nodiscard]] Next next() const {
    Next out;
    out.slice = index;
    return out;
  }
};

}  // namespace penstock::core
