// What becomes of the sequences of a step: append, fork, retry, finish, fail.
#include <utility>

#include "runtime/in_stage.h"
#include "runtime/lane.h"

namespace penstock {

void Lane::apply(const Step& step, std::vector<Next>& nexts) {
  const Children children = children_of(step, nexts);
  extend(step, children);
  std::vector<Born> born;
  std::vector<Member*> changed;
  for (std::size_t i = 0; i < children.size(); ++i) {
    if (children[i].empty()) continue;
    Member& sequence = member(step.slices[i]);
    for (std::size_t k = 1; k < children[i].size(); ++k) {
      auto child = std::make_unique<Member>(sequence);
      child->slot = -1;
      apply_next(*child, *children[i][k]);
      born.push_back({std::move(child), &sequence});
    }
    apply_next(sequence, *children[i][0]);
    changed.push_back(&sequence);
  }
  settle(born, changed);
}

Lane::Children Lane::children_of(const Step& step,
                                 std::vector<Next>& nexts) const {
  Children children(step.slices.size());
  for (Next& next : nexts) {
    if (next.slice >= children.size()) {
      throw Error(Code::kInternal,
                  "decode answered for a slice that the step does not have")
          .in(stages_.decode_place);
    }
    children[next.slice].push_back(&next);
  }
  return children;
}

/// The step's tokens are in the slots now.
void Lane::extend(const Step& step, const Children& children) {
  for (std::size_t i = 0; i < children.size(); ++i) {
    const Slice& slice = step.slices[i];
    Member& sequence = member(slice);
    sequence.is_fresh = false;
    slots_.extend(sequence, slice.begin, slice.count);
    if (slice.outs == 0) {
      sequence.cached = caps_.slots > 0 ? slice.begin + slice.count : 0;
      const bool is_whole = slice.begin + slice.count >= sequence.length();
      if (is_whole && children[i].empty()) fail_unwanted(sequence);
    } else if (children[i].empty()) {
      throw Error(Code::kInternal,
                  "decode said nothing of a sequence whose scores it wanted")
          .in(stages_.decode_place);
    }
  }
}

/// Gives the children slots and brings every state in line with its tokens.
void Lane::settle(std::vector<Born>& born,
                  const std::vector<Member*>& changed) {
  for (auto& [child, parent] : born) check_width(*child, born);
  // Slots of sequences that ended become free before children need one.
  for (Member* sequence : changed) {
    if (sequence->is_dead) slots_.release(*sequence);
  }
  for (auto& [child, parent] : born) {
    if (!child->is_dead) {
      slots_.fork(*parent, *child);
      slots_.sync(*child, child->is_rewound);
    }
    running_.push_back(std::move(child));
  }
  for (Member* sequence : changed) {
    if (!sequence->is_dead) slots_.sync(*sequence, sequence->is_rewound);
    sequence->is_rewound = false;
  }
}

void Lane::apply_next(Member& sequence, Next& next) {
  if (sequence.is_dead) return;
  try {
    if (next.error) std::rethrow_exception(next.error);
    sequence.advance.look(sequence, next);
    stages_.boundary.grown(sequence, next);
  } catch (...) {
    fail(sequence, decode_error());
    return;
  }
  if (next.branch >= 0) sequence.branch = next.branch;
  if (next.keep < static_cast<std::int64_t>(sequence.tokens.size())) {
    sequence.tokens.resize(static_cast<std::size_t>(next.keep));
    sequence.is_rewound = true;
  }
  sequence.tokens.insert(sequence.tokens.end(), next.tokens.begin(),
                         next.tokens.end());
  sequence.draft = std::move(next.draft);
  if (next.want) sequence.want = *next.want;
  sequence.inputs = std::move(next.inputs);
  if (next.reset) slots_.reset(sequence);
  emit(sequence, next);
  sequence.is_dead |= next.finish != Finish::kNo;
}

void Lane::emit(Member& sequence, Next& next) {
  // The end is told with the last output, or alone.
  if (next.emit.empty() && next.finish != Finish::kNo) next.emit.resize(1);
  for (std::size_t i = 0; i < next.emit.size(); ++i) {
    Decoded& decoded = next.emit[i];
    decoded.item = sequence.owned;
    decoded.branch = sequence.branch;
    decoded.finish = i + 1 == next.emit.size() ? next.finish : Finish::kNo;
    const auto count = static_cast<std::int64_t>(decoded.tokens.size());
    stats_.change([&](Stats& s) { s.tokens_out += count; });
    if (observer_ != nullptr) {
      observer_->decoded(*sequence.job->request(), decoded);
    }
    sequence.job->deliver(std::move(decoded));
  }
}

}  // namespace penstock
