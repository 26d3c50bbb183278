// How rows come into a lane and leave it.
#include <algorithm>
#include <set>
#include <utility>

#include "runtime/in_stage.h"
#include "runtime/lane.h"

namespace penstock {
namespace {

/// Waiting samples beyond which Preprocess waits: enough to fill the next
/// batches, so that memory does not grow with the number of requests.
constexpr std::size_t kWaitingLimit = 256;

}  // namespace

void Lane::push(const std::shared_ptr<Job>& job, Sample sample) {
  auto owned = std::make_shared<Sample>(std::move(sample));
  owned->request = job->request();
  owned->index = job->begin_sample(*owned);
  std::unique_lock lock(mutex_);
  while (arrivals_.size() + waiting_count_ >= kWaitingLimit) {
    if (job->is_dead()) break;  // the engine ends the sample
    room_.wait_for(lock, std::chrono::milliseconds(20));
    lock.unlock();
    job->look_at_clock(Clock::now());
    lock.lock();
  }
  arrivals_.push_back({job, std::move(owned)});
}

void Lane::take_arrivals() {
  std::deque<Arrival> arrived;
  {
    const std::scoped_lock lock(mutex_);
    arrived.swap(arrivals_);
    waiting_count_ = waiting_.size() + arrived.size();
  }
  for (const Arrival& arrival : arrived) admit(arrival);
}

void Lane::admit(const Arrival& arrival) {
  auto row = std::make_unique<Member>();
  row->job = arrival.job;
  row->owned = arrival.sample;
  row->sample = arrival.sample.get();
  row->since = Clock::now();
  try {
    in_stage(stages_.batch_place,
             [&] { stages_.batch.admit(*arrival.sample); });
    row->tokens = arrival.sample->tokens;
    in_stage(stages_.decode_place, [&] { stages_.decode.start(*row); });
    check_prompt(*row);
    if (observer_ != nullptr) {
      observer_->sample(*arrival.job->request(), *arrival.sample);
    }
  } catch (Error& error) {
    arrival.job->fail(error);
  }
  waiting_.push_back(std::move(row));
}

void Lane::check_prompt(const Row& row) const {
  const auto length = static_cast<std::int64_t>(row.tokens.size());
  if (const auto found = facts_.find("context_length"); found != facts_.end()) {
    const auto limit = std::get<std::int64_t>(found->second);
    if (length > limit) {
      throw Error(Code::kData,
                  str("the prompt has ", length,
                      " tokens, but the model's "
                      "context holds ",
                      limit,
                      "; shorten it, or let the tokenizer cut it with "
                      "'truncate: left' or 'truncate: right'"));
    }
  }
  if (row.sample->width > max_rows_) {
    throw Error(Code::kData,
                str("the request runs ", row.sample->width,
                    " branches at once, but max_rows is ", max_rows_));
  }
}

void Lane::drop_dead(Time now) {
  for (auto* members : {&waiting_, &running_}) {
    for (auto& row : *members) {
      row->job->look_at_clock(now);
      row->is_dead |= row->job->is_dead();
    }
    sweep(*members);
  }
}

void Lane::end_done_branches() {
  for (auto& row : running_) {
    // The Writer has had enough: a stop string, found a token or two late.
    if (row->job->is_branch_done(row->sample->index, row->branch)) {
      Next stop;
      stop.finish = Finish::kStop;
      emit(*row, stop);
      row->is_dead = true;
    }
  }
  sweep(running_);
}

bool Lane::has_rows(const Sample* sample) const {
  const auto is_its = [&](const auto& row) { return row->sample == sample; };
  return std::any_of(waiting_.begin(), waiting_.end(), is_its) ||
         std::any_of(running_.begin(), running_.end(), is_its);
}

void Lane::sweep(Members& members) {
  Members dead;
  for (auto& row : members) {
    if (row->is_dead) dead.push_back(std::move(row));
  }
  if (dead.empty()) return;
  std::erase(members, nullptr);
  for (auto& row : dead) slots_.give_back(*row);
  // Once a sample, though several of its branches may have ended together:
  // with its last sample the job may be gone.
  std::set<const Sample*> ended;
  for (auto& row : dead) {
    if (has_rows(row->sample) || !ended.insert(row->sample).second) continue;
    row->job->ended_sample(row->sample->index);
  }
}

}  // namespace penstock
