// What becomes of the rows of a step: append, fork, retry, finish, fail.
#include <utility>

#include "runtime/in_stage.h"
#include "runtime/lane.h"

namespace penstock {

void Lane::apply(const Step& step, std::vector<Next>& nexts) {
  std::vector<std::vector<Next*>> children(step.slices.size());
  for (Next& next : nexts) {
    if (next.slice >= children.size()) {
      throw Error(Code::kInternal,
                  "decode answered for a slice that the "
                  "step does not have")
          .in(stages_.decode_place);
    }
    children[next.slice].push_back(&next);
  }
  for (std::size_t i = 0; i < children.size(); ++i) {
    const Slice& slice = step.slices[i];
    Member& row = member(slice);
    row.is_fresh = false;
    slots_.extend(row, slice.begin, slice.count);
    if (slice.outs == 0) {
      row.cached = caps_.slots > 0 ? slice.begin + slice.count : 0;
    } else if (children[i].empty()) {
      throw Error(Code::kInternal,
                  "decode said nothing of a row whose "
                  "scores it wanted")
          .in(stages_.decode_place);
    }
  }
  struct Born {
    std::unique_ptr<Member> child;
    Member* parent;
  };
  std::vector<Born> born;
  std::vector<Member*> changed;
  for (std::size_t i = 0; i < children.size(); ++i) {
    if (children[i].empty()) continue;
    Member& row = member(step.slices[i]);
    for (std::size_t k = 1; k < children[i].size(); ++k) {
      auto child = std::make_unique<Member>(row);
      child->slot = -1;
      become(*child, *children[i][k]);
      born.push_back({std::move(child), &row});
    }
    become(row, *children[i][0]);
    changed.push_back(&row);
  }
  // Slots of rows that ended become free before children need one.
  for (Member* row : changed) {
    if (row->is_dead) slots_.give_back(*row);
  }
  for (auto& [child, parent] : born) {
    if (!child->is_dead) {
      slots_.fork(*parent, *child);
      slots_.sync(*child, child->is_rewound);
    }
    running_.push_back(std::move(child));
  }
  for (Member* row : changed) {
    if (!row->is_dead) slots_.sync(*row, row->is_rewound);
    row->is_rewound = false;
  }
}

void Lane::become(Member& row, Next& next) {
  if (next.error) {
    try {
      std::rethrow_exception(next.error);
    } catch (...) {
      row.job->fail(current_error(stages_.decode_place));
    }
    slots_.spoil(row);
    row.is_dead = true;
    return;
  }
  if (next.branch >= 0) row.branch = next.branch;
  if (next.keep < static_cast<std::int64_t>(row.tokens.size())) {
    row.tokens.resize(static_cast<std::size_t>(next.keep));
    row.is_rewound = true;
  }
  row.tokens.insert(row.tokens.end(), next.tokens.begin(), next.tokens.end());
  row.draft = std::move(next.draft);
  if (next.want) row.want = *next.want;
  row.inputs = std::move(next.inputs);
  if (next.reset) slots_.reset(row);
  emit(row, next);
  row.is_dead |= next.finish != Finish::kNo;
}

void Lane::emit(Member& row, Next& next) {
  // The end is told with the last output, or alone.
  if (next.emit.empty() && next.finish != Finish::kNo) next.emit.resize(1);
  for (std::size_t i = 0; i < next.emit.size(); ++i) {
    Decoded& decoded = next.emit[i];
    decoded.sample = row.owned;
    decoded.branch = row.branch;
    decoded.finish = i + 1 == next.emit.size() ? next.finish : Finish::kNo;
    const auto count = static_cast<std::int64_t>(decoded.tokens.size());
    stats_.change([&](Stats& s) { s.tokens_out += count; });
    if (observer_ != nullptr) {
      observer_->decoded(*row.job->request(), decoded);
    }
    row.job->deliver(std::move(decoded));
  }
}

}  // namespace penstock
