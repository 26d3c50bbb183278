// Lane: one pipeline's Batch, Forward and Decode on one device, and the loop
// that runs them. Each turn(): take what Preprocess pushed, drop what is dead,
// plan -> collate -> forward -> pick -> decode, then apply what Decode said.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "penstock/batch.h"
#include "penstock/decode.h"
#include "penstock/forward.h"
#include "runtime/advance.h"
#include "runtime/arrivals.h"
#include "runtime/boundary.h"
#include "runtime/job.h"
#include "runtime/slots.h"
#include "runtime/stats_board.h"
#include "runtime/step_copies.h"
#include "runtime/team_choice.h"
#include "runtime/trace.h"
#include "runtime/watched_call.h"
#include "threads/share.h"

namespace penstock {

/// The stages of a lane and what to call them in errors.
struct LaneStages {
  Batch& batch;
  Forward& forward;
  Decode& decode;
  const Boundary& boundary;
  at::Device device = at::kCPU;      ///< of Forward
  Layout layout = Layout::kStacked;  ///< of the batch
  Place batch_place, forward_place, decode_place;
  const std::vector<NoteSpec>& item_notes;  ///< that Batch may leave behind
  const StageSpec& decode_spec;
  const PipelineFile& file;
  CallWatcher* watcher = nullptr;
  ThreadShare* share = nullptr;  ///< of the threads; null: all
  /// Between the CPU and `device`.
  std::function<std::unique_ptr<DeviceCopies>(at::Device)> copies =
      device_copies;
};

class Lane {
 public:
  Lane(const LaneStages& stages, const Notes& facts, StatsBoard& stats,
       Trace& trace, Observer* observer);

  /// Where Preprocess pushes to; any thread.
  [[nodiscard]] Arrivals& arrivals() { return arrivals_; }

  /// DeviceThread thread: one step at most. True: a step ran. Else
  /// `check_again_at` becomes the time of the next look, where that is sooner.
  bool turn(Time& check_again_at);
  /// How many sequences run, and the most that can; any thread.
  [[nodiscard]] std::pair<std::size_t, std::size_t> fill() const {
    return {now_running_, static_cast<std::size_t>(max_sequences_)};
  }
  /// DeviceThread thread: nothing waits and nothing runs.
  [[nodiscard]] bool is_idle();

 private:
  /// A sequence with what keeps it alive. Plugins see the Sequence.
  struct Member : Sequence {
    std::shared_ptr<Job> job;
    std::shared_ptr<Item> owned;
    bool is_dead = false;
    bool is_rewound = false;
    Advance advance;
  };
  using Members = std::vector<std::unique_ptr<Member>>;

  // Intake (lane_intake.cpp)
  void take_arrivals();
  void admit(const Arrival& arrival);
  void check_prompt(const Sequence& sequence) const;
  void drop_dead(Time now);
  void end_done_branches();
  void sweep(Members& members);
  [[nodiscard]] bool has_sequences(const Item* item) const;

  // One step (lane.cpp)
  [[nodiscard]] Plan plan(Time now, bool is_more_coming);
  void check_empty(const Plan& plan, Time now, bool could_run);
  [[nodiscard]] int free_slots() const;
  void start_waiting(const Plan& plan);
  [[nodiscard]] Step make_step(const Plan& plan) const;
  using Offered = std::vector<Sequence*>;
  void check_plan(const Plan& plan, const Offered& waiting,
                  const Offered& running, int free) const;
  void run(Step& step, Closed why);
  /// When the parts of a step ended.
  struct Times {
    Time start, collated = {}, forwarded = {}, picked = {}, fetched = {},
                decoded = {};
    bool has_waited = false;  ///< for a device, from `picked` to `fetched`
  };
  void tell_times(const Step& step, Closed why, const Times& at);
  [[nodiscard]] StageCall call_of(const StageConfig& stage, const Stage& made,
                                  const Step& step) const;
  void collate(Step& step, std::int64_t size);
  [[nodiscard]] Result forward(Step& step, std::int64_t size);
  void drop_not_finite(const Step& step, const Scores& scores);
  void count_step(const Step& step, Closed why);
  void fail(const Step& step, const Error& error);
  void fail(Member& sequence, const Error& error);
  [[nodiscard]] static Member& member(const Slice& slice);

  // Decode, and what it is given (lane_decode.cpp)
  [[nodiscard]] std::vector<Next> decode(const Step& step, Result result,
                                         std::int64_t size, Times& at);
  [[nodiscard]] bool fetch(const Step& step, Result& picked, Scores made);
  void tell_errors(const StageCall& call, const std::vector<Next>& nexts);

  // What Decode said (lane_apply.cpp)
  void apply(const Step& step, std::vector<Next>& nexts);
  struct Born {
    std::unique_ptr<Member> child;
    Member* parent;
  };
  /// By slice, what decode said of it.
  using Children = std::vector<std::vector<Next*>>;
  [[nodiscard]] Children children_of(const Step& step,
                                     std::vector<Next>& nexts) const;
  void extend(const Step& step, const Children& children);
  void settle(std::vector<Born>& born, const std::vector<Member*>& changed);
  void check_width(Member& child, const std::vector<Born>& born);
  void fail_unwanted(Member& sequence);
  void apply_next(Member& sequence, Next& next);
  /// The exception being handled, as of Decode or of what Forward gave it.
  [[nodiscard]] Error decode_error() const;
  void emit(Member& sequence, Next& next);

  LaneStages stages_;
  const Notes& facts_;
  StatsBoard& stats_;
  Trace& trace_;
  Observer* observer_;
  Caps caps_;
  int max_sequences_;
  Slots slots_;
  TeamChoice collates_, forwards_, picks_, decodes_;
  StepCopies copies_;
  Members waiting_, running_;
  std::atomic<std::size_t> now_running_{0};
  Time no_plan_since_{};  ///< sequences could run, and no plan names one
  Arrivals arrivals_;
};

}  // namespace penstock
