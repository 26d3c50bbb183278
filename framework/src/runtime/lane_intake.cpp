// How sequences come into a lane and leave it.
#include <algorithm>
#include <set>
#include <utility>

#include "penstock/keys.h"
#include "penstock/too_long.h"
#include "runtime/declared.h"
#include "runtime/in_stage.h"
#include "runtime/lane.h"

namespace penstock {

void Lane::take_arrivals() {
  for (const Arrival& arrival : arrivals_.take(waiting_.size())) {
    admit(arrival);
  }
}

void Lane::admit(const Arrival& arrival) {
  auto sequence = std::make_unique<Member>();
  sequence->job = arrival.job;
  sequence->owned = arrival.item;
  sequence->item = arrival.item.get();
  sequence->since = Clock::now();
  const calls::Scope scope(&stats_, arrival.job->request().get());
  try {
    in_stage(stages_.batch_place, [&] {
      stages_.batch.admit(*arrival.item);
      check_declared(arrival.item->notes, stages_.item_notes, "note");
    });
    sequence->tokens = arrival.item->tokens;
    in_stage(stages_.decode_place, [&] {
      stages_.decode.start(*sequence);
      stages_.boundary.started(*sequence);
    });
    check_prompt(*sequence);
    if (observer_ != nullptr) {
      observer_->item(*arrival.job->request(), *arrival.item);
    }
  } catch (Error& error) {
    arrival.job->fail(error);
  }
  waiting_.push_back(std::move(sequence));
}

void Lane::check_prompt(const Sequence& sequence) const {
  const auto length = static_cast<std::int64_t>(sequence.tokens.size());
  const std::int64_t limit = get_or(facts_, kContextLength, kAll);
  if (length > limit) {
    throw Error(Code::kData,
                str("the prompt has ", length,
                    " tokens, but the model's "
                    "context holds ",
                    limit,
                    "; shorten it, or let the tokenizer cut it with "
                    "'truncate: left' or 'truncate: right'"));
  }
  if (sequence.item->width > max_sequences_) {
    throw Error(Code::kData, str(kRequestRuns, sequence.item->width,
                                 " branches at once, but max_sequences is ",
                                 max_sequences_));
  }
}

void Lane::drop_dead(Time now) {
  for (auto* members : {&waiting_, &running_}) {
    for (auto& sequence : *members) {
      sequence->job->look_at_clock(now);
      sequence->is_dead |= sequence->job->is_dead();
    }
    sweep(*members);
  }
}

void Lane::end_done_branches() {
  for (auto& sequence : running_) {
    // The Writer has had enough: a stop string, found a token or two late.
    if (sequence->job->is_branch_done(sequence->item->index,
                                      sequence->branch)) {
      Next stop;
      stop.finish = Finish::kStop;
      emit(*sequence, stop);
      sequence->is_dead = true;
    }
  }
  sweep(running_);
}

bool Lane::has_sequences(const Item* item) const {
  const auto is_its = [&](const auto& sequence) {
    return sequence->item == item;
  };
  return std::any_of(waiting_.begin(), waiting_.end(), is_its) ||
         std::any_of(running_.begin(), running_.end(), is_its);
}

void Lane::sweep(Members& members) {
  Members dead;
  for (auto& sequence : members) {
    if (sequence->is_dead) dead.push_back(std::move(sequence));
  }
  if (dead.empty()) return;
  std::erase(members, nullptr);
  for (auto& sequence : dead) slots_.release(*sequence);
  // Once an item, though several of its branches may have ended together:
  // with its last item the job may be gone.
  std::set<const Item*> ended;
  for (auto& sequence : dead) {
    if (has_sequences(sequence->item) || !ended.insert(sequence->item).second)
      continue;
    sequence->job->ended_item(sequence->item->index);
  }
}

}  // namespace penstock
