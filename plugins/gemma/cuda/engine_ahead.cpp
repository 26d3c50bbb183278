// CudaEngine: steps that are begun before somebody asks for them.
//
// At most one is unasked for. It writes keys and values behind its sequences'
// tokens, into pages that they alone have, so what it computed for nothing is
// as good as nothing; and what is queued runs in order, so a page that was
// given back meanwhile is written to by its next owner later. Its tables and
// answers are in the set of buffers that the step before does not use.
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <utility>

#include "gemma/cuda/engine.h"
#include "gemma/cuda/turn.h"
#include "penstock/error.h"

namespace penstock::gemma::cuda {

/// Answers what it can of the step from what ran ahead. Where that is all of
/// it, the step behind is queued before this one is waited for; whether the
/// tokens were the right ones shows only then.
void CudaEngine::take_ahead(Turn& turn) {
  if (!ahead_) return;
  const auto queued = std::exchange(ahead_, nullptr);
  const bool is_asked_more =
      turn.wants.whole || wants_hidden(turn.step) || turn.step.probe != nullptr;
  Places places = is_asked_more ? Places(turn.step.slices.size())
                                : find_slices(turn.step, *queued);
  unreserve_others(turn, *queued, places);
  const bool is_all =
      changes_.is_empty() &&
      std::all_of(places.begin(), places.end(),
                  [](const auto& place) { return place.has_value(); });
  if (is_all) {
    extend_at(turn, places);
    if (can_go_on(turn.step, turn.wants)) begin_next(turn, *queued, places);
    api_->wait_for(queued->set);
    if (forget_wrong(turn, *queued, places)) {
      api_->wait();
      forget_ahead();
    }
  } else {
    api_->wait();
    (void)forget_wrong(turn, *queued, places);
    extend_at(turn, places);
  }
  read_ahead(turn, *queued, places);
}

/// Gives back the pages of rows that nobody asked for.
void CudaEngine::unreserve_others(const Turn& turn, const QueuedStep& queued,
                                  const Places& places) noexcept {
  std::vector<bool> is_asked(queued.rows.size());
  for (std::size_t i = 0; i < turn.step.slices.size(); ++i) {
    if (places[i]) is_asked[places[i]->row] = true;
  }
  for (std::size_t row = 0; row < is_asked.size(); ++row) {
    if (!is_asked[row]) pages_.unreserve(queued.rows[row].slot);
  }
}

/// Counts the tokens of what was answered as being in their slots.
void CudaEngine::extend_at(const Turn& turn, const Places& places) {
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (places[i]) {
      pages_.extend(turn.step.slices[i].sequence->slot, 1, changes_);
    }
  }
}

/// Takes away the places of rows whose token was another one, and their tokens
/// out of the slots; whether there were any.
bool CudaEngine::forget_wrong(const Turn& turn, const QueuedStep& queued,
                              Places& places) {
  const auto set = static_cast<std::size_t>(queued.set);
  const auto* const drawn = reinterpret_cast<const std::int32_t*>(
      buffers_.answers_host[set].as() + queued.layout().drawn);
  bool has_wrong = false;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const Slice& slice = turn.step.slices[i];
    if (!places[i]) continue;
    if (drawn[places[i]->row] == slice.sequence->token(slice.begin)) {
      ++counts_.taken;
      continue;
    }
    places[i].reset();
    pages_.truncate(slice.sequence->slot, slice.begin);
    ++counts_.wrong;
    has_wrong = true;
  }
  return has_wrong;
}

void CudaEngine::read_ahead(Turn& turn, const QueuedStep& queued,
                            const Places& places) {
  std::vector<Position> done;
  std::vector<Position> rest;
  std::vector<AnswerPlace> at;
  turn.is_done.assign(places.size(), false);
  std::size_t first = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto outs = static_cast<std::size_t>(turn.step.slices[i].outs);
    auto& to = places[i] ? done : rest;
    const auto* const from = turn.positions.data() + first;
    to.insert(to.end(), from, from + outs);
    first += outs;
    if (places[i]) at.push_back(*places[i]);
    turn.is_done[i] = places[i].has_value();
  }
  turn.positions = std::move(rest);
  if (done.empty()) {
    turn.is_done.clear();
    return;
  }
  const auto set = static_cast<std::size_t>(queued.set);
  turn.ahead = read_answers(buffers_.answers_host[set].as(), queued.layout(),
                            turn.wants, done, at);
}

/// Queues the step behind this one, where all of it can be foreseen.
void CudaEngine::begin_next(const Turn& turn, const QueuedStep& now,
                            const Places& places) {
  NextStep next = next_step(turn.step, now, turn.wants, config_.context);
  const std::vector<QueuedStep::Row>& rows = next.queued.rows;
  if (!runs_ahead_ || rows.empty()) return;
  bool is_begun = std::all_of(rows.begin(), rows.end(), [&](const auto& row) {
    return pages_.reserve(row.slot, changes_);
  });
  try {
    if (is_begun) queue_next(turn, now, places, next);
  } catch (const Error& error) {
    if (error.code() != Code::kRetry) throw;
    // No memory for another graph: the step that was asked for goes on.
    runs_ahead_ = is_begun = false;
  }
  if (!is_begun) {
    for (const auto& row : rows) pages_.unreserve(row.slot);
    return;
  }
  counts_.begun += std::ssize(rows);
  ahead_ = std::make_unique<QueuedStep>(std::move(next.queued));
}

void CudaEngine::queue_next(const Turn& turn, const QueuedStep& now,
                            const Places& places, NextStep& next) {
  QueuedStep& queued = next.queued;
  const std::int32_t rows = graph_rows(i32(std::ssize(queued.rows)));
  queued.launched = rows;
  update_pages();
  const StepTables tables(
      buffers_.tables_host[static_cast<std::size_t>(queued.set)],
      buffers_.tables,
      {.rows = rows,
       .scores = rows,
       .ids = queued.wants.ids,
       .is_drawn = true});
  fill_next(turn, places, next, tables);
  std::int64_t longest = 0;
  for (const QueuedStep::Row& row : queued.rows) {
    longest = std::max(longest, row.position + 1);
  }
  // Where the other answers are does not hang on what stands behind them.
  const AnswerLayout from(now.wants, now.launched, /*is_drawn=*/false);
  queue_graph(queued.wants, queued.set, from,
              {.tables = tables,
               .rows = rows,
               .scored = rows,
               .all_scored = true,
               .keys = keys(longest)});
  api_->mark(queued.set);
}

void CudaEngine::fill_next(const Turn& turn, const Places& places,
                           const NextStep& next,
                           const StepTables& tables) const {
  tables.clear();
  const auto ids = static_cast<std::size_t>(next.queued.wants.ids);
  for (std::size_t row = 0; row < next.queued.rows.size(); ++row) {
    const std::size_t i = next.from[row];
    const Want& want = turn.step.slices[i].sequence->want;
    tables.draws.host[row] =
        draw_row(want, *places[i], tables.edits.host.subspan(row * ids, ids));
    tables.positions.host[row] = i32(next.queued.rows[row].position);
    tables.slots.host[row] = next.queued.rows[row].slot;
    tables.scored.host[row] = i32(static_cast<std::int64_t>(row));
    std::copy(want.ids.begin(), want.ids.end(),
              tables.wanted_ids.host.begin() +
                  static_cast<std::ptrdiff_t>(row * ids));
  }
}

void CudaEngine::forget_ahead() noexcept {
  if (!ahead_) return;
  for (const QueuedStep::Row& row : ahead_->rows) {
    pages_.unreserve(row.slot);
  }
  ahead_.reset();
}

void CudaEngine::drop_ahead(int slot) noexcept {
  if (!ahead_) return;
  for (QueuedStep::Row& row : ahead_->rows) {
    row.is_dropped |= row.slot == slot;
  }
}

}  // namespace penstock::gemma::cuda
