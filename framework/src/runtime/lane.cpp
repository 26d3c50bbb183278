#include "runtime/lane.h"

#include <algorithm>
#include <set>
#include <utility>

#include "runtime/in_stage.h"

namespace penstock {
namespace {

/// The requests of a step, for the trace.
std::string trace_args(const Step& step, Closed why) {
  std::string out = str(R"("closed":")", to_string(why), R"(","sequences":[)");
  for (std::size_t i = 0; i < step.slices.size(); ++i) {
    const Slice& slice = step.slices[i];
    std::string id;
    for (const char c : slice.sequence->item->request->id) {
      const bool is_plain = c >= ' ' && c != '"' && c != '\\';
      id += is_plain ? c : '?';
    }
    out += str(i > 0 ? "," : "", R"({"id":")", id, R"(","begin":)", slice.begin,
               R"(,"count":)", slice.count, "}");
  }
  return out + "]";
}

/// Tokens, and of models without them sequences.
std::int64_t size_of(const Step& step) {
  std::int64_t size = 0;
  for (const Slice& slice : step.slices) {
    size += std::max<std::int64_t>(1, slice.count);
  }
  return size;
}

/// Whose deadline comes first; of none, the first.
const Request& most_urgent(const Step& step) {
  const auto deadline = [](const Slice& slice) {
    return slice.sequence->item->request->deadline.value_or(Time::max());
  };
  return *std::min_element(step.slices.begin(), step.slices.end(),
                           [&](const Slice& a, const Slice& b) {
                             return deadline(a) < deadline(b);
                           })
              ->sequence->item->request;
}

}  // namespace

Lane::Lane(const LaneStages& stages, const Notes& facts, StatsBoard& stats,
           Trace& trace, Observer* observer)
    : stages_(stages),
      facts_(facts),
      stats_(stats),
      trace_(trace),
      observer_(observer),
      caps_(in_stage(stages.forward_place,
                     [&] { return stages.forward.caps(); })),
      max_sequences_(in_stage(stages.batch_place,
                              [&] { return stages.batch.max_sequences(); })),
      slots_(stages.forward, caps_,
             {.shares_prefixes = stages.batch.shares_prefixes(),
              .bytes = stages.batch.kept_bytes()}),
      copies_(stages.copies(stages.device),
              copied_inputs(*stages.file.forward.spec)) {
  if (caps_.slots > 0 && caps_.slots < max_sequences_) {
    throw Error(Code::kInternal, str("batch runs ", max_sequences_,
                                     " sequences, but forward has only ",
                                     caps_.slots, " slots"));
  }
}

Lane::Member& Lane::member(const Slice& slice) {
  // Every sequence that was offered is a Member; plan() has checked that it
  // was.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-static-cast-downcast)
  return *static_cast<Member*>(slice.sequence);
}

int Lane::free_slots() const {
  int used = 0;
  std::set<const Item*> seen;
  for (const auto& sequence : running_) {
    if (seen.insert(sequence->item).second) used += sequence->item->width;
  }
  return std::max(0, max_sequences_ - used);
}

bool Lane::is_idle() {
  return arrivals_.is_empty() && waiting_.empty() && running_.empty();
}

bool Lane::turn(Time& check_again_at) {
  const Time now = Clock::now();
  const calls::Scope scope(&stats_, nullptr);
  const ThreadShare::Use share(stages_.share);
  // Before the arrivals are taken: whoever is no longer upstream has arrived.
  const bool is_more_coming = arrivals_.is_more_coming();
  take_arrivals();
  drop_dead(now);
  end_done_branches();
  if (waiting_.empty() && running_.empty()) {
    no_plan_since_ = {};
    return false;
  }
  Plan made;
  try {
    made = plan(now, is_more_coming);
  } catch (Error& error) {
    // Without a plan nobody can run: every sequence fails, the lane lives on.
    for (auto* members : {&waiting_, &running_}) {
      for (auto& sequence : *members) sequence->job->fail(error);
    }
    return true;
  }
  if (made.slices.empty()) {
    if (made.check_again_at != Time{}) {
      check_again_at = std::min(check_again_at, made.check_again_at);
    }
    return false;
  }
  start_waiting(made);
  now_running_ = running_.size();
  Step step = make_step(made);
  run(step, made.why);
  sweep(running_);
  now_running_ = running_.size();
  return true;
}

StageCall Lane::call_of(const StageConfig& stage, const Stage& made,
                        const Step& step) const {
  return {.file = &stages_.file,
          .stage = &stage,
          .index = made.index,
          .facts = &facts_,
          .step = &step};
}

Plan Lane::plan(Time now, bool is_more_coming) {
  const auto offered = [](const Members& members) {
    std::vector<Sequence*> sequences;
    for (const auto& sequence : members) {
      if (sequence->job->has_credit(sequence->item->index)) {
        sequences.push_back(sequence.get());
      }
    }
    return sequences;
  };
  const auto waiting = offered(waiting_);
  const auto running = offered(running_);
  const int free = free_slots();
  Plan made = in_stage(stages_.batch_place, [&] {
    return stages_.batch.plan({.waiting = waiting,
                               .running = running,
                               .free_slots = free,
                               .free_units = stages_.forward.free_units(),
                               .more_coming = is_more_coming,
                               .now = now,
                               .caps = caps_,
                               .found = [this](const Sequence& sequence) {
                                 return slots_.found(sequence);
                               }});
  });
  in_stage(stages_.batch_place,
           [&] { check_plan(made, waiting, running, free); });
  check_empty(made, now,
              !is_more_coming && waiting.size() == waiting_.size() &&
                  running.size() == running_.size());
  trace_.span("plan", now, Clock::now(), "");
  stats_.change([&](Stats& s) { s.plan_s += seconds(now, Clock::now()); });
  return made;
}

/// Throws where the plan names what it was not offered, or more than fits.
void Lane::check_plan(const Plan& plan, const Offered& waiting,
                      const Offered& running, int free) const {
  const auto has = [](const Offered& all, const Sequence* one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  };
  int width = 0;
  std::set<const Sequence*> seen;
  for (const Slice& slice : plan.slices) {
    const bool is_new = has(waiting, slice.sequence);
    const bool is_offered = is_new || has(running, slice.sequence);
    if (!is_offered || !seen.insert(slice.sequence).second) {
      throw Error(
          Code::kInternal,
          "the plan names a sequence twice or one that was not offered");
    }
    if (is_new) width += slice.sequence->item->width;
    Boundary::planned(slice, stages_.batch.max_step_tokens());
  }
  if (width <= free) return;
  throw Error(Code::kInternal, str("the plan starts ", width,
                                   " sequences, but only ", free, " are free"));
}

void Lane::start_waiting(const Plan& plan) {
  for (const Slice& slice : plan.slices) {
    const auto found = std::find_if(
        waiting_.begin(), waiting_.end(),
        [&](const auto& sequence) { return sequence.get() == slice.sequence; });
    if (found == waiting_.end()) continue;
    slots_.acquire(**found);
    slots_.sync(**found, true);
    (*found)->job->reused((*found)->cached);
    running_.push_back(std::move(*found));
    waiting_.erase(found);
  }
  arrivals_.set_waiting(waiting_.size());
}

Step Lane::make_step(const Plan& plan) const {
  Step step;
  step.layout = stages_.layout;
  step.probe = observer_;
  std::int64_t outs = 0;
  for (Slice slice : plan.slices) {
    const Sequence& sequence = *slice.sequence;
    const std::int64_t length = sequence.length();
    slice.begin = caps_.slots > 0 ? sequence.cached : 0;
    slice.count = std::min(slice.count, length - slice.begin);
    const std::int64_t end = slice.begin + slice.count;
    const std::int64_t from = std::max(slice.begin, sequence.first_scored());
    slice.out = outs;
    slice.outs = length > 0 ? std::max<std::int64_t>(0, end - from) : 1;
    outs += slice.outs;
    step.slices.push_back(slice);
  }
  return step;
}

void Lane::run(Step& step, Closed why) {
  const Time start = Clock::now();
  for (const Slice& slice : step.slices) member(slice).job->step_began(start);
  const calls::Scope scope(&stats_, &most_urgent(step));
  try {
    const std::int64_t size = size_of(step);
    Times at{.start = start};
    collate(step, size);
    at.collated = Clock::now();
    Result result = forward(step, size);
    at.forwarded = Clock::now();
    std::vector<Next> nexts = decode(step, std::move(result), size, at);
    tell_times(step, why, at);
    calls::moved();
    count_step(step, why);
    in_stage(stages_.batch_place,
             [&] { stages_.batch.observe(step, seconds(start, at.decoded)); });
    apply(step, nexts);
  } catch (Error& error) {
    fail(step, error);
  }
}

void Lane::tell_times(const Step& step, Closed why, const Times& at) {
  if (trace_.is_enabled()) {
    trace_.span("collate", at.start, at.collated, "");
    trace_.span("forward", at.collated, at.forwarded, trace_args(step, why));
    const Time begun = at.has_waited ? at.fetched : at.forwarded;
    if (at.has_waited) {
      trace_.span("pick", at.forwarded, at.picked, "");
      trace_.span("wait for forward", at.picked, at.fetched, "");
    }
    trace_.span("decode", begun, at.decoded, "");
  }
  // A device computes while its Forward has long returned.
  const double waited = seconds(at.picked, at.fetched);
  stats_.change([&](Stats& s) {
    s.collate_s += seconds(at.start, at.collated);
    s.forward_s += seconds(at.collated, at.forwarded) + waited;
    s.decode_s += seconds(at.forwarded, at.decoded) - waited;
  });
}

void Lane::collate(Step& step, std::int64_t size) {
  const auto call = call_of(stages_.file.batch, stages_.batch, step);
  const auto collate = [&] {
    for (const Slice& slice : step.slices) {
      const bool is_cut = slice.begin + slice.count < slice.sequence->length();
      if (is_cut && !caps_.can_chunk) {
        throw Error(Code::kInternal,
                    "the plan cuts a prompt, but forward cannot chunk");
      }
    }
    step.inputs =
        collates_.run(size, [&] { return stages_.batch.collate(step.slices); });
    stages_.boundary.collated(step);
  };
  watched(stages_.watcher, call,
          [&] { in_stage(stages_.batch_place, collate); });
}

Result Lane::forward(Step& step, std::int64_t size) {
  // To a device of Forward's, which has or has not the memory.
  in_stage(stages_.forward_place, [&] { copies_.to_device(step.inputs); });
  const auto call = call_of(stages_.file.forward, stages_.forward, step);
  Result result = watched(stages_.watcher, call, [&] {
    return in_stage(stages_.forward_place, [&] {
      Result made =
          forwards_.run(size, [&] { return stages_.forward.forward(step); });
      stages_.boundary.forwarded(step, made);
      return made;
    });
  });
  drop_not_finite(step, result.scores);
  if (observer_ != nullptr) observer_->step(step, result);
  return result;
}

void Lane::count_step(const Step& step, Closed why) {
  const Slots::Counts counts = slots_.take_counts();
  stats_.change([&](Stats& s) {
    ++s.steps;
    ++s.closed_for.at(static_cast<std::size_t>(why));
    s.most_sequences =
        std::max(s.most_sequences, static_cast<int>(step.slices.size()));
    for (const Slice& slice : step.slices) s.tokens_in += slice.count;
    s.truncates += counts.truncates;
    s.replays += counts.replays;
    s.copies += counts.copies;
    s.reused += counts.reused;
  });
}

void Lane::fail(const Step& step, const Error& error) {
  // A Forward that stopped because nobody waits any more is at no fault.
  if (error.code() == Code::kCancelled) {
    const Time now = Clock::now();
    for (const Slice& slice : step.slices) {
      member(slice).job->look_at_clock(now);
    }
  }
  // What the slots hold after a failed step is unknown: drop_dead() releases
  // them before the next step.
  for (const Slice& slice : step.slices) {
    fail(member(slice), error);
  }
}

void Lane::fail(Member& sequence, const Error& error) {
  sequence.job->fail(error);
  sequence.is_dead = true;
  slots_.invalidate(sequence);
}

}  // namespace penstock
