// Scores against what the step's sequences wanted.
#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "penstock/dtype.h"
#include "runtime/boundary.h"

namespace penstock {
namespace {

struct Wanted {
  std::int64_t top = 0, ids = 0;
  bool full = false, norm = false, follow = false, hidden = false;
  bool has_tokens = false;
};

Wanted wanted_of(const Step& step) {
  Wanted most;
  for (const Slice& slice : step.slices) {
    const Want& want = slice.sequence->want;
    most.has_tokens |= slice.sequence->length() > 0;
    if (slice.outs == 0) continue;
    most.top = std::max(most.top, want.top);
    most.ids = std::max(most.ids, static_cast<std::int64_t>(want.ids.size()));
    most.full |= want.full;
    most.norm |= want.norm;
    most.follow |= want.follow;
    most.hidden |= want.hidden;
  }
  return most;
}

/// Sequences, at least so many columns (0: it has none), dtype.
struct Shape {
  std::string_view name;
  std::int64_t columns;
  at::ScalarType dtype = at::kFloat;
};

bool is_of_dtype(const at::Tensor& tensor, const Shape& shape) {
  if (shape.name != "scores.hidden") {
    return tensor.scalar_type() == shape.dtype;
  }
  // The model's own, which may be half of that.
  return at::isFloatingType(tensor.scalar_type());
}

void check_one(const at::Tensor& tensor, const Shape& shape, std::int64_t rows,
               at::Device device) {
  const std::int64_t rank = shape.columns > 0 ? 2 : 1;
  const bool is_whole = tensor.defined() && tensor.dim() == rank &&
                        tensor.size(0) == rows &&
                        (rank == 1 || tensor.size(1) >= shape.columns);
  if (!is_whole) {
    throw Error(Code::kInternal,
                str(shape.name, " is ", tensor_type(tensor),
                    ", but the step wants ", rows, " rows",
                    shape.columns > 0 ? str(" of ", shape.columns) : ""));
  }
  if (!is_of_dtype(tensor, shape)) {
    throw Error(Code::kInternal,
                str(shape.name, " is ", tensor_type(tensor), ", expected ",
                    shape.dtype == at::kLong ? "i64" : "f32"));
  }
  // An engine that finds them on its device may hand them over from there.
  if (!tensor.is_cpu()) boundary::check_device(shape.name, tensor, device);
}

/// The first of a slice's numbers that is not finite; none: 0.
float not_finite_in(const Slice& slice, const at::Tensor& tensor) {
  const bool is_readable = tensor.defined() && tensor.device().is_cpu() &&
                           tensor.scalar_type() == at::kFloat &&
                           tensor.numel() > 0;
  if (!is_readable) return 0;
  const auto* first = tensor.const_data_ptr<float>();
  for (std::int64_t i = slice.out; i < slice.out + slice.outs; ++i) {
    const float value = first[i * tensor.stride(0)];
    if (!std::isfinite(value)) return value;
  }
  return 0;
}

}  // namespace

void Boundary::check_scores(const Step& step, const Scores& scores) const {
  const std::int64_t sequences = step.outs();
  if (sequences == 0) return;
  const Wanted most = wanted_of(step);
  if (!most.has_tokens) return;
  const auto check = [&](bool is_wanted, const at::Tensor& tensor,
                         const Shape& shape) {
    if (is_wanted) check_one(tensor, shape, sequences, device_);
  };
  const std::int64_t vocab = vocab_ == kAll ? 1 : vocab_;
  check(most.top > 0, scores.ids, {"scores.ids", most.top, at::kLong});
  check(most.top > 0, scores.values, {"scores.values", most.top});
  check(most.full, scores.full, {"scores.full", vocab});
  check(most.norm, scores.norm, {"scores.norm", 0});
  check(most.follow, scores.follow, {"scores.follow", 0});
  check(most.hidden, scores.hidden, {"scores.hidden", 1});
  check(most.ids > 0, scores.at, {"scores.at", most.ids});
  if (most.top > 0) allowed(step, scores);
}

/// A Forward that knows nothing of Want::allowed would be believed.
void Boundary::allowed(const Step& step, const Scores& scores) {
  const at::Tensor& ids = scores.ids;
  if (!ids.defined() || !ids.device().is_cpu()) return;
  std::int64_t row = 0;
  for (const Position& position : scored_positions(step)) {
    const std::int64_t at = row++;
    const TokenSet* allowed = position.allowed();
    if (allowed == nullptr || position.sequence->want.top == 0) continue;
    const std::int64_t best =
        ids.const_data_ptr<std::int64_t>()[at * ids.stride(0)];
    if (allowed->contains(best)) continue;
    throw Error(
        Code::kInternal,
        str("scores.ids has ", best, " as the best of ", allowed->size(),
            " tokens that Want::allowed names, which it is not among"));
  }
}

std::vector<Boundary::Bad> Boundary::not_finite(const Step& step,
                                                const Scores& scores) {
  std::vector<Bad> found;
  for (std::size_t i = 0; i < step.slices.size(); ++i) {
    const Slice& slice = step.slices[i];
    const Want& want = slice.sequence->want;
    if (slice.outs == 0 || slice.sequence->length() == 0) continue;
    // The best comes first, and of those a NaN.
    const float best =
        want.top > 0 ? not_finite_in(slice, scores.values) : 0.0F;
    const float norm = want.norm ? not_finite_in(slice, scores.norm) : 0.0F;
    const float bad = std::isfinite(best) ? norm : best;
    if (std::isfinite(bad)) continue;
    found.push_back(
        {i, Error(Code::kInternal,
                  str(std::isfinite(best) ? "scores.norm" : "scores.values",
                      " are not finite (", bad, ")"))});
  }
  return found;
}

}  // namespace penstock
