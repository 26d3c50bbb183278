// A step that was queued, what its rows were asked, and what of a step that is
// asked for it already answers: for CudaEngine, which begins steps before it is
// asked for them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gemma/cuda/answers.h"
#include "penstock/step.h"

namespace penstock::gemma::cuda {

/// A step of rows of one token each, all of which are scored.
struct QueuedStep {
  struct Row {
    int slot = 0;
    std::int64_t position = 0;
    Tokens ids = {};          ///< whose single scores are there
    bool has_drawn = false;   ///< and behind them its own token's
    bool is_dropped = false;  ///< the slot was changed since: it is of no use
  };
  std::vector<Row> rows;
  HeadWants wants;
  std::int32_t launched = 0;  ///< rows, with empty ones
  bool is_drawn = false;      ///< the device chose the tokens
  int set = 0;                ///< of Buffers, and the mark behind it

  [[nodiscard]] AnswerLayout layout() const {
    return {wants, launched, is_drawn};
  }
};

/// What running ahead came to, in rows.
struct AheadCounts {
  std::int64_t begun = 0;
  std::int64_t taken = 0;  ///< that were asked for as they had been begun
  std::int64_t wrong = 0;  ///< that were asked for with another token
};

/// Whether the next step can be told from this one: a token is chosen behind
/// each row, and how is said.
[[nodiscard]] bool can_go_on(const Step& step, const HeadWants& wants);

/// A step as it is queued when it is asked for.
[[nodiscard]] QueuedStep queued_step(const Step& step, const HeadWants& wants,
                                     std::int32_t launched);

/// A step that may follow.
struct NextStep {
  QueuedStep queued;
  std::vector<std::size_t> from;  ///< slice of each row
};
/// Of rows that end, at `context` tokens or by their hint, there is none; no
/// rows: none follows.
[[nodiscard]] NextStep next_step(const Step& step, const QueuedStep& now,
                                 const HeadWants& wants, std::int64_t context);

/// By slice, where the queued step answers it if its token is the right one;
/// nothing where it does not.
[[nodiscard]] std::vector<std::optional<AnswerPlace>> find_slices(
    const Step& step, const QueuedStep& queued);

/// The tables that `draw` needs for a row behind a slice that was answered at
/// `place`. `edits` has room for Want::ids.
[[nodiscard]] DrawRow draw_row(const Want& want, const AnswerPlace& place,
                               std::span<DrawEdit> edits);

}  // namespace penstock::gemma::cuda
