// Loop: what the runtime does with a Batch's plans, without a model: sequences
// start, compute, get a token each step and end at the length of their answer.
#pragma once

#include <algorithm>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/continuous.h"

namespace penstock::core {

class Loop {
 public:
  struct Asked {
    std::string client = {};
    double weight = 1;
    std::int64_t priority = 0, prompt = 20, answer = 20;
  };
  explicit Loop(const Continuous::Params& params)
      : batch_(params), slots_(static_cast<int>(params.max_sequences)) {}

  /// A request that waits from now on; its number, from 0.
  int add(const Asked& asked) {
    auto& made = all_.emplace_back();
    made.asked = asked;
    made.number = static_cast<int>(all_.size()) - 1;
    Continuous::Params params;
    params.client = asked.client;
    params.weight = asked.weight;
    params.priority = asked.priority;
    auto request = std::make_shared<Request>();
    request->checked = {std::make_shared<Continuous::Params>(params)};
    made.item.request = request;
    // No two begin alike.
    made.item.tokens.assign(static_cast<std::size_t>(asked.prompt),
                            made.number);
    made.sequence.item = &made.item;
    made.sequence.tokens = made.item.tokens;
    made.sequence.since = Time() + std::chrono::seconds(made.number);
    by_sequence_[&made.sequence] = &made;
    waiting_.push_back(&made.sequence);
    return made.number;
  }

  /// One step, if there is anything to do; it takes a millisecond, and one
  /// more for each token of a prompt.
  void step() {
    const Plan plan =
        batch_.plan({.waiting = waiting_,
                     .running = running_,
                     .free_slots = slots_ - static_cast<int>(running_.size()),
                     .now = Time() + std::chrono::hours(1),
                     .caps = {.slots = slots_, .can_chunk = true},
                     .found = {}});
    Step step;
    std::int64_t prompt = 0;
    for (Slice slice : plan.slices) {
      start(*slice.sequence);
      slice.begin = slice.sequence->cached;
      slice.count =
          std::min(slice.count, slice.sequence->length() - slice.begin);
      if (slice.sequence->generated() == 0) prompt += slice.count;
      step.slices.push_back(slice);
    }
    plans.push_back(step.slices);
    batch_.observe(step, 1e-3 * static_cast<double>(1 + prompt));
    for (const Slice& slice : step.slices) apply(slice);
  }
  void steps(int count) {
    for (int i = 0; i < count; ++i) step();
  }

  [[nodiscard]] std::size_t waiting(const std::string& client) const {
    return static_cast<std::size_t>(std::count_if(
        waiting_.begin(), waiting_.end(), [&](const Sequence* each) {
          return of(*each).asked.client == client;
        }));
  }
  [[nodiscard]] bool is_idle() const {
    return waiting_.empty() && running_.empty();
  }
  [[nodiscard]] int number(const Sequence& sequence) const {
    return of(sequence).number;
  }

  std::map<std::string, double> tokens;  ///< computed, by client
  std::vector<int> started, ended;       ///< requests, in their order
  std::vector<std::vector<Slice>> plans;

 private:
  struct Made {
    Asked asked;
    int number = 0;
    Item item;
    Sequence sequence;
  };

  [[nodiscard]] const Made& of(const Sequence& sequence) const {
    return *by_sequence_.at(&sequence);
  }
  void start(Sequence& sequence) {
    if (std::erase(waiting_, &sequence) == 0) return;
    sequence.slot = 0;
    running_.push_back(&sequence);
    started.push_back(number(sequence));
  }
  void apply(const Slice& slice) {
    Sequence& sequence = *slice.sequence;
    const Asked& asked = of(sequence).asked;
    tokens[asked.client] += static_cast<double>(slice.count);
    sequence.is_fresh = false;
    sequence.cached += slice.count;
    if (sequence.cached < std::ssize(sequence.tokens)) return;
    sequence.tokens.push_back(0);
    if (sequence.generated() < asked.answer) return;
    std::erase(running_, &sequence);
    ended.push_back(number(sequence));
  }

  Continuous batch_;
  int slots_;
  std::list<Made> all_;
  std::map<const Sequence*, const Made*> by_sequence_;
  std::vector<Sequence*> waiting_, running_;
};

}  // namespace penstock::core
