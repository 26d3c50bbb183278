// Step: one turn of the engine. Slices say what runs, inputs are its
// rectangle, scores are what the model answered.
#pragma once

#include <stop_token>
#include <string_view>
#include <vector>

#include "penstock/sequence.h"
#include "penstock/stage_spec.h"

namespace penstock {

/// A sequence's share of a step: its tokens [begin, begin + count), drafts
/// included. Slices are the truth about a step, the rectangle is not.
struct Slice {
  Sequence* sequence = nullptr;
  std::int64_t count = 0;  ///< plan: at most so many tokens
  // Set by the runtime:
  std::int64_t begin = 0;
  std::int64_t out = 0;   ///< its first row in the scores
  std::int64_t outs = 0;  ///< how many
};

/// Watches a step from inside; used by --show, --trace and tests.
class PENSTOCK_API Probe {
 public:
  virtual ~Probe();
  virtual void tensor(std::string_view name, const at::Tensor& value) = 0;
  virtual void count(std::string_view name, std::int64_t value) = 0;
};

/// Padding exists only in `inputs`: never in a slot, never in Scores.
struct Step {
  Layout layout = Layout::kStacked;
  std::vector<Slice> slices;
  /// What collate() made. Tensors that Forward declares as inputs are on its
  /// device; tokens and masks of them are on the CPU.
  Tensors inputs;
  std::stop_token stop;  ///< nobody waits any more: may throw Cancelled
  Probe* probe = nullptr;

  [[nodiscard]] std::int64_t outs() const {
    return slices.empty() ? 0 : slices.back().out + slices.back().outs;
  }
};

/// The scored positions, R of them, each as its place among the step's tokens
/// end to end.
[[nodiscard]] PENSTOCK_API std::vector<std::int64_t> wanted_places(
    const Step& step);

/// A scored token: its sequence and its index there.
struct Position {
  const Sequence* sequence = nullptr;
  std::int64_t token = 0;

  [[nodiscard]] const TokenSet* allowed() const {
    return sequence->allowed_after(token);
  }
};
/// The same positions as tokens of their sequences.
[[nodiscard]] PENSTOCK_API std::vector<Position> scored_positions(
    const Step& step);

/// R positions in slice order, whatever the layout. Plain tensors, on Forward's
/// device or on the CPU, as its engine has them; undefined where no sequence
/// wanted them. Decode::decode() gets them on the CPU.
struct Scores {
  at::Tensor ids;     ///< i64[R, k] best first; -1: no more are allowed
  at::Tensor values;  ///< f32[R, k]
  at::Tensor full;    ///< f32[R, vocab]
  at::Tensor at;      ///< f32[R, n] of Want::ids, short lists padded
  at::Tensor norm;    ///< f32[R]
  at::Tensor follow;  ///< f32[R]; NaN where nothing follows
  at::Tensor hidden;  ///< f32[R, dim]
};

struct Result {
  /// Named outputs of models without a vocabulary, [B, ...], on Forward's
  /// device.
  Tensors out;
  Scores scores;
};

}  // namespace penstock
