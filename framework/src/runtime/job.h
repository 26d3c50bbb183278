// Job: a request in flight. It joins what the engine decodes, item by
// item and in order, into one Writer, and counts what waits to be written.
//
//   preprocess thread: begin_item() ... preprocessed()
//   engine thread:     deliver() ... ended_item()
//   writer thread:     write_some() until it says kDone, then tell_end()
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>

#include "penstock/pipeline.h"
#include "penstock/postprocess.h"

namespace penstock {

/// The stage that a job's results are written by.
struct WriterStage {
  const Postprocess& stage;
  Place place;
  const PipelineFile& file;
  const Notes& facts;
  CallWatcher* watcher = nullptr;
};

class Job {
 public:
  /// `ready` is called, on any thread, when write_some() has work: under the
  /// job's lock, so that no writer can end the job before it has returned.
  Job(const std::shared_ptr<Request>& request, std::shared_ptr<ResultSink> sink,
      std::function<void()> ready);

  [[nodiscard]] const std::shared_ptr<const Request>& request() const {
    return request_;
  }
  [[nodiscard]] std::stop_source& stop_source() { return stop_; }

  /// Rows of a dead job are dropped before the next step.
  [[nodiscard]] bool is_dead() const { return is_dead_; }
  /// Marks the job dead when it was cancelled or is past its deadline.
  void look_at_clock(Time now);
  /// Once it is over: it is whole, and Preprocess gave nothing.
  [[nodiscard]] bool had_no_item() const { return !is_dead_ && begun_ == 0; }
  void fail(const Error& error);

  /// An item is about to go to the engine; gives its index. Waits while too
  /// many of this job's items are unwritten; throws Cancelled.
  [[nodiscard]] std::int64_t begin_item(const Item& item);
  void warn(std::string text);
  /// Notes for the report, of an item that may never be decoded.
  void see(const Notes& notes);
  /// No more items will come.
  void preprocessed();

  /// May this sequence's next step run? No: its output is not being read.
  [[nodiscard]] bool has_credit(std::int64_t item);
  /// The writer has said that this branch is done.
  [[nodiscard]] bool is_branch_done(std::int64_t item, int branch);
  /// So many tokens of an item need not be computed.
  void reused(std::int64_t tokens);
  void step_began(Time now);
  void deliver(Decoded decoded);
  /// The item has no sequences left.
  void ended_item(std::int64_t item);

  enum class Progress { kIdle, kDone };
  /// Writes what is ready; kDone: everything, and the writer has ended. One
  /// thread at a time.
  Progress write_some(const WriterStage& by);
  /// After kDone, once, on the same thread: tells the sink how it ended.
  void tell_end();
  /// After tell_end(): what the sink threw when nobody was left to be told.
  [[nodiscard]] const std::optional<Error>& unheard() const { return unheard_; }

 private:
  struct Box {
    std::deque<Decoded> ready;
    std::set<int> done_branches;
    bool is_ended = false;
  };
  class Out;

  [[nodiscard]] bool is_complete() const;
  bool write_next(std::unique_lock<std::mutex>& lock, const WriterStage& by);
  void write(const WriterStage& by, bool is_end,
             const std::function<void(Writer&, OutputSink&)>& act);
  void note(const Decoded& decoded);
  [[nodiscard]] Branch& branch(int index);
  [[nodiscard]] Writer& writer(const Postprocess& postprocess);
  void hand_on(const Value& value, int branch, bool is_final);
  void end_writer(const WriterStage& by);
  [[nodiscard]] Report report() const;

  std::stop_source stop_;
  std::shared_ptr<const Request> request_;
  std::shared_ptr<ResultSink> sink_;
  std::function<void()> ready_;
  // Writer thread only:
  std::unique_ptr<Writer> writer_;
  std::vector<Decoded> given_;  ///< to the writer, where somebody watches
  bool is_sink_lost_ = false;   ///< it threw
  std::optional<Error> unheard_;

  std::atomic<bool> is_dead_{false};
  mutable std::mutex mutex_;
  std::condition_variable room_;
  std::map<std::int64_t, Box> boxes_;
  std::int64_t begun_ = 0;
  std::int64_t written_ = 0;  ///< items written whole
  bool is_preprocessed_ = false;
  std::vector<Branch> branches_{Branch{}};
  Ending ending_ = Ending::kWhole;
  std::optional<Error> error_;
  std::int64_t prompt_tokens_ = 0, reused_tokens_ = 0;
  Notes notes_;
  std::vector<std::string> warnings_;
  Time submitted_ = Clock::now();
  std::optional<Time> started_, first_, last_;
};

}  // namespace penstock
