#include "gemma/cuda/ahead.h"

#include <algorithm>
#include <utility>

#include "gemma/cuda/buffers.h"
#include "penstock/draw.h"

namespace penstock::gemma::cuda {
namespace {

/// core.sample's: below it scores would overflow.
constexpr double kLeastTemperature = 1e-30;

/// Whether a slice is a sequence's last token, alone.
bool is_decoding(const Slice& slice) {
  return slice.count == 1 && slice.outs == 1 &&
         slice.begin + 1 == slice.sequence->length() &&
         slice.sequence->draft.empty();
}

bool is_hint_whole(const Want& want) {
  return want.draw != nullptr && want.draw->edits.size() == want.ids.size();
}

/// The place of a token's score among a row's single ones.
std::optional<std::int32_t> single_of(const QueuedStep::Row& row,
                                      std::int64_t id, std::int64_t token) {
  const auto found = std::find(row.ids.begin(), row.ids.end(), id);
  if (found != row.ids.end()) return i32(found - row.ids.begin());
  if (row.has_drawn && id == token) return i32(std::ssize(row.ids));
  return {};
}

std::optional<AnswerPlace> answer_of(const Slice& slice,
                                     const QueuedStep& queued,
                                     std::size_t row) {
  const QueuedStep::Row& there = queued.rows[row];
  const Sequence& sequence = *slice.sequence;
  const Want& want = sequence.want;
  const bool is_asked =
      !there.is_dropped && is_decoding(slice) && slice.begin == there.position;
  const bool is_known = !want.full && !want.hidden && !want.follow &&
                        want.top <= queued.wants.k &&
                        (!want.norm || queued.wants.norm) &&
                        sequence.allowed_after(slice.begin) == nullptr;
  if (!is_asked || !is_known) return {};
  AnswerPlace place{.row = row, .singles = {}};
  for (const std::int64_t id : want.ids) {
    const auto at = single_of(there, id, sequence.token(slice.begin));
    if (!at) return {};
    place.singles.push_back(*at);
  }
  return place;
}

}  // namespace

bool can_go_on(const Step& step, const HeadWants& wants) {
  return wants.any && !wants.whole && !wants.masks && step.probe == nullptr &&
         std::all_of(step.slices.begin(), step.slices.end(),
                     [](const Slice& slice) {
                       const Want& want = slice.sequence->want;
                       return is_decoding(slice) && is_hint_whole(want) &&
                              !want.hidden && !want.follow;
                     });
}

QueuedStep queued_step(const Step& step, const HeadWants& wants,
                       std::int32_t launched) {
  QueuedStep out{.rows = {}, .wants = wants, .launched = launched};
  for (const Slice& slice : step.slices) {
    out.rows.push_back({.slot = slice.sequence->slot,
                        .position = slice.begin,
                        .ids = slice.sequence->want.ids});
  }
  return out;
}

NextStep next_step(const Step& step, const QueuedStep& now,
                   const HeadWants& wants, std::int64_t context) {
  bool will_ask_drawn = false;
  NextStep out{.queued = {.rows = {}, .wants = wants}, .from = {}};
  for (std::size_t i = 0; i < step.slices.size(); ++i) {
    const Slice& slice = step.slices[i];
    const Want& want = slice.sequence->want;
    if (want.draw->is_last || slice.begin + 1 >= context) continue;
    will_ask_drawn |= want.draw->will_ask_drawn;
    out.queued.rows.push_back({.slot = slice.sequence->slot,
                               .position = slice.begin + 1,
                               .ids = want.ids,
                               .has_drawn = want.draw->will_ask_drawn});
    out.from.push_back(i);
  }
  out.queued.wants = wants.next(will_ask_drawn);
  out.queued.is_drawn = true;
  out.queued.set = 1 - now.set;
  if (out.queued.wants.whole) out.queued.rows.clear();
  return out;
}

std::vector<std::optional<AnswerPlace>> find_slices(const Step& step,
                                                    const QueuedStep& queued) {
  std::vector<std::optional<AnswerPlace>> out;
  std::size_t row = 0;
  for (const Slice& slice : step.slices) {
    // Rows are in the order of slices, of which some may have gone since.
    const auto from = queued.rows.begin() + static_cast<std::ptrdiff_t>(row);
    const auto is_own = [&](const QueuedStep::Row& each) {
      return each.slot == slice.sequence->slot;
    };
    auto found = std::find_if(from, queued.rows.end(), is_own);
    if (found == queued.rows.end()) {
      found = std::find_if(queued.rows.begin(), from, is_own);
      if (found == from) found = queued.rows.end();
    }
    if (found == queued.rows.end()) {
      out.emplace_back();
      continue;
    }
    const auto at = static_cast<std::size_t>(found - queued.rows.begin());
    out.push_back(answer_of(slice, queued, at));
    row = at + 1;
  }
  return out;
}

DrawRow draw_row(const Want& want, const AnswerPlace& place,
                 std::span<DrawEdit> edits) {
  const Draw& draw = *want.draw;
  for (std::size_t i = 0; i < draw.edits.size(); ++i) {
    const Draw::Edit& edit = draw.edits[i];
    edits[i] = {.id = i32(edit.id),
                .at = place.singles[i],
                .bias = edit.bias,
                .repetition = edit.repetition,
                .minus = edit.minus};
  }
  const double divisor = std::max(draw.temperature, kLeastTemperature);
  return {.top_p = draw.top_p,
          .min_p = draw.min_p,
          .random = draw.random,
          .divisor = draw.temperature == 0 ? 0 : static_cast<float>(divisor),
          .from = i32(static_cast<std::int64_t>(place.row)),
          .best = i32(want.top),
          .edits = i32(std::ssize(draw.edits)),
          .top_k = i32(std::min<std::int64_t>(draw.top_k, kMostBest)),
          .put = draw.will_ask_drawn ? i32(std::ssize(want.ids)) : -1};
}

}  // namespace penstock::gemma::cuda
