#include "runtime/job.h"

#include <utility>

#include "runtime/emitted.h"
#include "runtime/in_stage.h"
#include "runtime/sink_gate.h"
#include "runtime/watched_call.h"

namespace penstock {
namespace {

/// Unwritten outputs of one item beyond which its sequences wait, and unwritten
/// items of one job beyond which its Preprocess waits. Large enough that
/// nobody waits in vain, small enough to bound memory.
constexpr std::size_t kCredit = 64;
constexpr std::int64_t kItemsAhead = 64;

const Place kSink{.kind = Place::Kind::kSink, .name = "", .detail = ""};

double milliseconds(Time from, Time to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

/// The word of a report.
std::string to_string(Ending ending) {
  switch (ending) {
    case Ending::kWhole:
      return "end";
    case Ending::kCancelled:
      return "cancelled";
    case Ending::kDeadline:
      return "deadline";
    case Ending::kError:
      return "error";
  }
  return "error";
}

}  // namespace

/// Checks a Writer's output, where its stage is to blame, and passes it on.
class Job::Out final : public OutputSink {
 public:
  explicit Out(Job& job) : job_(job) {}
  void emit(Value value, int branch, bool is_final) override {
    check_emitted(value, branch, job_.branches_.size());
    const calls::Scope outside;  // a reader may be slow
    calls::moved();
    job_.hand_on(value, branch, is_final);
  }

 private:
  Job& job_;
};

Job::Job(const std::shared_ptr<Request>& request,
         std::shared_ptr<ResultSink> sink, std::function<void()> ready)
    : request_(request), sink_(std::move(sink)), ready_(std::move(ready)) {
  request->stop = stop_.get_token();
}

void Job::look_at_clock(Time now) {
  if (is_dead_) return;
  const bool is_late = request_->deadline && now >= *request_->deadline;
  if (!is_late && !stop_.stop_requested()) return;
  {
    const std::scoped_lock lock(mutex_);
    if (ending_ == Ending::kWhole) {
      ending_ = is_late ? Ending::kDeadline : Ending::kCancelled;
    }
    is_dead_ = true;
  }
  stop_.request_stop();  // wakes a Preprocess that waits
  room_.notify_all();
}

void Job::fail(const Error& error) {
  {
    const std::scoped_lock lock(mutex_);
    if (ending_ == Ending::kWhole) {
      ending_ = Ending::kError;
      error_ = error;
    }
    is_dead_ = true;
  }
  stop_.request_stop();
  room_.notify_all();
}

std::int64_t Job::begin_item(const Item& item) {
  std::unique_lock lock(mutex_);
  while (begun_ - written_ >= kItemsAhead && !is_dead_) {
    // A timeout, because a deadline passes without a notification.
    room_.wait_for(lock, std::chrono::milliseconds(20));
    lock.unlock();
    look_at_clock(Clock::now());
    lock.lock();
  }
  if (is_dead_) throw Cancelled();
  prompt_tokens_ += static_cast<std::int64_t>(item.tokens.size());
  boxes_[begun_];
  return begun_++;
}

void Job::warn(std::string text) {
  const std::scoped_lock lock(mutex_);
  warnings_.push_back(std::move(text));
}

void Job::see(const Notes& notes) {
  const std::scoped_lock lock(mutex_);
  notes_.insert(notes.begin(), notes.end());
}

void Job::preprocessed() {
  const std::scoped_lock lock(mutex_);
  is_preprocessed_ = true;
  ready_();
}

bool Job::has_credit(std::int64_t item) {
  const std::scoped_lock lock(mutex_);
  const auto box = boxes_.find(item);
  return box == boxes_.end() || box->second.ready.size() < kCredit;
}

bool Job::is_branch_done(std::int64_t item, int branch) {
  const std::scoped_lock lock(mutex_);
  const auto box = boxes_.find(item);
  return box != boxes_.end() && box->second.done_branches.contains(branch);
}

void Job::reused(std::int64_t tokens) {
  const std::scoped_lock lock(mutex_);
  reused_tokens_ += tokens;
}

void Job::step_began(Time now) {
  const std::scoped_lock lock(mutex_);
  if (!started_) started_ = now;
}

void Job::deliver(Decoded decoded) {
  const std::scoped_lock lock(mutex_);
  last_ = Clock::now();
  if (!first_) first_ = last_;
  boxes_[decoded.item->index].ready.push_back(std::move(decoded));
  ready_();
}

void Job::ended_item(std::int64_t item) {
  const std::scoped_lock lock(mutex_);
  boxes_[item].is_ended = true;
  ready_();
}

bool Job::is_complete() const { return is_preprocessed_ && written_ == begun_; }

Branch& Job::branch(int index) {
  const auto at = static_cast<std::size_t>(index);
  if (at >= branches_.size()) branches_.resize(at + 1);
  return branches_[at];
}

void Job::note(const Decoded& decoded) {
  for (const auto& [key, value] : decoded.item->notes) notes_[key] = value;
  Branch& its = branch(decoded.branch);
  its.token_ids.insert(its.token_ids.end(), decoded.tokens.begin(),
                       decoded.tokens.end());
  if (decoded.finish != Finish::kNo)
    its.finish_reason = to_string(decoded.finish);
}

/// A call of the writer, with everything around it.
void Job::write(const WriterStage& by, bool is_end,
                const std::function<void(Writer&, OutputSink&)>& act) {
  const StageCall call{.file = &by.file,
                       .stage = &by.file.postprocess,
                       .index = by.stage.index,
                       .facts = &by.facts,
                       .request = request_.get(),
                       .decoded = given_,
                       .is_end = is_end};
  watched(by.watcher, call, [&] {
    in_stage(by.place, [&] {
      Out out(*this);
      const SinkGate<GatedOutput> gate(out, by.place);
      act(writer(by.stage), gate.sink());
    });
  });
}

bool Job::write_next(std::unique_lock<std::mutex>& lock,
                     const WriterStage& by) {
  const auto found = boxes_.find(written_);
  if (found == boxes_.end()) return false;
  Box& box = found->second;
  if (box.ready.empty()) {
    if (!box.is_ended) return false;
    boxes_.erase(found);
    ++written_;
    room_.notify_all();
    return true;
  }
  const Decoded decoded = std::move(box.ready.front());
  box.ready.pop_front();
  if (box.done_branches.contains(decoded.branch)) return true;
  note(decoded);
  lock.unlock();
  if (by.watcher != nullptr) given_.push_back(decoded);
  bool goes_on = true;
  try {
    write(by, /*is_end=*/false, [&](Writer& writer, OutputSink& out) {
      goes_on = writer.write(decoded, out);
    });
  } catch (Error& error) {
    goes_on = false;
    fail(error);
  }
  lock.lock();
  if (!goes_on) {
    box.done_branches.insert(decoded.branch);
    branch(decoded.branch).finish_reason = to_string(Finish::kStop);
  }
  return true;
}

Writer& Job::writer(const Postprocess& postprocess) {
  if (!writer_) writer_ = postprocess.begin(*request_);
  if (!writer_) {
    throw Error(Code::kInternal,
                "begin() gave no Writer; expected one for each request");
  }
  return *writer_;
}

/// The Writer is not to blame for what the sink throws.
void Job::hand_on(const Value& value, int branch, bool is_final) {
  if (is_sink_lost_) return;
  try {
    sink_->piece(*request_, value, branch, is_final);
  } catch (...) {
    is_sink_lost_ = true;
    fail(current_error(kSink));
  }
}

Job::Progress Job::write_some(const WriterStage& by) {
  std::unique_lock lock(mutex_);
  while (write_next(lock, by)) {
  }
  if (!is_complete()) return Progress::kIdle;
  lock.unlock();
  end_writer(by);
  return Progress::kDone;
}

void Job::end_writer(const WriterStage& by) {
  try {
    write(by, /*is_end=*/true,
          [](Writer& writer, OutputSink& out) { writer.end(out); });
  } catch (Error& error) {
    fail(error);
  }
  in_stage(by.place, [&] { writer_.reset(); });
}

void Job::tell_end() {
  try {
    sink_->done(*request_, report());
  } catch (...) {
    unheard_ = current_error(kSink).in(Place::request(request_->id));
    is_dead_ = true;
  }
}

Report Job::report() const {
  const std::scoped_lock lock(mutex_);
  Report report;
  report.ending = ending_;
  report.finish_reason = ending_ == Ending::kWhole
                             ? branches_.front().finish_reason
                             : to_string(ending_);
  report.prompt_tokens = prompt_tokens_;
  report.reused_tokens = reused_tokens_;
  report.token_ids = branches_.front().token_ids;
  report.branches = branches_;
  report.notes = notes_;
  report.warnings = warnings_;
  report.error = error_;
  const Time started = started_.value_or(Clock::now());
  report.timing.queue_ms = milliseconds(submitted_, started);
  if (first_) {
    report.timing.prefill_ms = milliseconds(started, *first_);
    report.timing.decode_ms = milliseconds(*first_, *last_);
    report.timing.first_token_ms = milliseconds(submitted_, *first_);
  }
  return report;
}

}  // namespace penstock
