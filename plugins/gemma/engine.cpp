#include "gemma/engine.h"

#include <ATen/ops/cat.h>

#include <algorithm>

#include "penstock/error.h"

namespace penstock::gemma {
namespace {

constexpr std::int64_t kMostScoreBytes = std::int64_t{4} << 30;

void extend(at::Tensor& all, const at::Tensor& more) {
  if (!more.defined()) return;
  all = all.defined() ? at::cat({all, more}) : more;
}

}  // namespace

Caps cache_caps(const Config& config, std::size_t slots) {
  const bool is_short = config.context <= config.window;
  return {.slots = static_cast<int>(slots),
          .rollback = is_short ? kAll : kRollback,
          .whole = config.window - 1 + kRollback,
          .can_copy = true,
          .can_chunk = slots > 0};
}

bool wants_hidden(const Step& step) {
  return std::any_of(step.slices.begin(), step.slices.end(),
                     [](const Slice& slice) {
                       return slice.outs > 0 && slice.sequence->want.hidden;
                     });
}

bool wants_scores(const Step& step) {
  return std::any_of(
      step.slices.begin(), step.slices.end(), [](const Slice& slice) {
        const Want& want = slice.sequence->want;
        return slice.outs > 0 && (want.top > 0 || want.full || want.norm ||
                                  want.follow || !want.ids.empty());
      });
}

void check_size(std::int64_t rows, std::int64_t vocab) {
  const std::int64_t bytes = rows * vocab * 4;
  if (bytes <= kMostScoreBytes) return;
  throw Error(Code::kData,
              str("every score of ", rows, " positions would take ",
                  bytes >> 20, " MiB, more than ", kMostScoreBytes >> 20,
                  "; ask for fewer positions or for the best k"));
}

void append(Scores& all, const Scores& more) {
  extend(all.ids, more.ids);
  extend(all.values, more.values);
  extend(all.full, more.full);
  extend(all.norm, more.norm);
  extend(all.follow, more.follow);
  extend(all.at, more.at);
  extend(all.hidden, more.hidden);
}

}  // namespace penstock::gemma
