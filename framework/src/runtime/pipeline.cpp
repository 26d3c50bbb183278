#include "penstock/pipeline.h"

#include <condition_variable>
#include <list>
#include <mutex>
#include <utility>

#include "base/quote.h"
#include "penstock/memory_plan.h"
#include "penstock/parallel.h"
#include "runtime/in_stage.h"
#include "runtime/job.h"
#include "runtime/locked_observer.h"
#include "runtime/placement.h"
#include "runtime/replica.h"
#include "runtime/stages.h"
#include "runtime/until.h"
#include "runtime/waiting_source.h"
#include "runtime/watchdog.h"
#include "runtime/watched_call.h"
#include "runtime/workers.h"

namespace penstock {

namespace {

/// Whose it is: the option of `core.continuous`, where it has been set.
std::string client_of(const Request& request) {
  const auto client = request.options.find("client");
  if (client == request.options.end()) return {};
  const auto* name = std::get_if<RawScalar>(&client->second);
  return name == nullptr ? "" : name->text;
}

}  // namespace

struct Pipeline::Impl {
  Impl(PipelineFile checked, const PipelineOptions& chosen)
      : file(std::move(checked)),
        options(chosen),
        trace(chosen.trace, chosen.trace_process),
        stages(file) {
    end_after(options.until, stages);
    if (!options.trace_name.empty()) trace.name_process(options.trace_name);
    watch();
    const Time start = Clock::now();
    const auto devices = devices_of(file);
    Observer* observer = options.observer;
    if (observer != nullptr && devices.size() > 1) {
      observer = &locked.emplace(*observer);
    }
    replicas.emplace(ReplicaHome{.file = file,
                                 .options = options,
                                 .stages = stages,
                                 .board = board,
                                 .trace = trace,
                                 .observer = observer},
                     devices);
    trace.span("open", start, Clock::now(), "");
    board.change([&](Stats& s) { s.open_s = seconds(start, Clock::now()); });
    writers.emplace(options.writers, [this] { trace.name_thread("writer"); });
    preprocessors.emplace(options.preprocess_workers,
                          [this] { trace.name_thread("preprocess"); });
    const std::scoped_lock lock(open_mutex);
    is_open = true;
  }

  ~Impl() {
    cancel_all();
    wait_for_all();
    {
      const std::scoped_lock lock(open_mutex);
      is_open = false;
    }
    preprocessors.reset();
    writers.reset();
    replicas.reset();
  }

  /// A job and whether a writer is at it; guarded by `mutex`.
  struct Flight {
    std::shared_ptr<Job> job;
    bool is_queued = false;  ///< a writer will look or looks at it
    bool is_again = false;   ///< more became ready while it looked
  };
  using FlightAt = std::list<Flight>::iterator;

  std::stop_source submit(const std::shared_ptr<Request>& request,
                          std::shared_ptr<ResultSink> sink);
  /// Whoever holds it may still push items.
  [[nodiscard]] std::shared_ptr<void> upstream() {
    return replicas->upstream();
  }
  void preprocess(const std::shared_ptr<Job>& job,
                  std::shared_ptr<void> upstream);
  void ready(FlightAt flight);
  void watch();
  void tell(Stall stall, const calls::Seen& call, bool is_first);
  [[nodiscard]] std::vector<QueueFill> queues();
  void end(Job& job);
  void write(FlightAt flight);
  [[nodiscard]] std::vector<std::shared_ptr<Job>> jobs();
  void cancel_all();
  void wait_for_all();
  void drain();

  const PipelineFile file;
  const PipelineOptions options;
  StatsBoard board;
  Trace trace;
  Stages stages;
  std::optional<LockedObserver> locked;  ///< where several replicas call it
  std::optional<Replicas> replicas;

  std::mutex mutex;
  std::condition_variable landed;
  std::list<Flight> flights;
  std::optional<Error> unheard;  ///< what a sink threw at its end
  std::mutex open_mutex;
  bool is_open = false;  ///< the replicas and the workers are there
  Time first_submit{}, last_done{};

  // Last, so that their threads end before what they use.
  std::optional<Watchdog> watchdog;
  std::optional<Workers> writers, preprocessors;
};

std::stop_source Pipeline::Impl::submit(const std::shared_ptr<Request>& request,
                                        std::shared_ptr<ResultSink> sink) {
  request->checked = check_options(file, request->options);
  wait_outside(request->inputs);
  FlightAt place;
  std::shared_ptr<Job> job;
  {
    std::unique_lock lock(mutex);
    landed.wait(lock, [&] {
      return flights.size() < static_cast<std::size_t>(options.max_in_flight);
    });
    if (first_submit == Time{}) first_submit = Clock::now();
    place = flights.emplace(flights.end());
    job = std::make_shared<Job>(request, std::move(sink),
                                [this, place] { ready(place); });
    place->job = job;
  }
  board.change([](Stats& s) { ++s.requests; });
  preprocessors->add(
      [this, job, guard = upstream()]() mutable {
        preprocess(job, std::move(guard));
      },
      client_of(*request));
  return job->stop_source();
}

void Pipeline::Impl::preprocess(const std::shared_ptr<Job>& job,
                                std::shared_ptr<void> upstream) {
  class Sink final : public ItemSink {
   public:
    Sink(Impl& impl, const std::shared_ptr<Job>& to) : impl_(impl), job_(to) {}
    void push(Item item) override {
      const calls::Scope outside;  // the engine may be behind
      calls::moved();
      Replica& replica = impl_.replicas->choose(*job_->request());
      replica.arrivals().push(job_, std::move(item));
      replica.notify();
    }
    void warn(std::string text) override { job_->warn(std::move(text)); }

   private:
    Impl& impl_;
    const std::shared_ptr<Job>& job_;
  };
  const Time start = Clock::now();
  const calls::Scope scope(&board, job->request().get());
  try {
    job->look_at_clock(start);
    Sink sink(*this, job);
    if (!job->is_dead()) {
      run_preprocess(
          stages, file, *job->request(), sink,
          [&](const Notes& notes) { job->see(notes); }, options.call_watcher);
    }
  } catch (const Cancelled&) {
    job->look_at_clock(Clock::now());
  } catch (...) {
    job->fail(current_error(Place::request(job->request()->id)));
  }
  trace.span("preprocess", start, Clock::now(), "");
  board.change(
      [&](Stats& s) { s.preprocess_s += seconds(start, Clock::now()); });
  upstream.reset();
  job->preprocessed();
}

void Pipeline::Impl::ready(FlightAt flight) {
  {
    const std::scoped_lock lock(mutex);
    if (std::exchange(flight->is_queued, true)) {
      flight->is_again = true;
      return;
    }
  }
  writers->add([this, flight] { write(flight); });
}

/// Counts it before anybody hears of its end, who may look at once.
void Pipeline::Impl::end(Job& job) {
  const bool was_dead = job.is_dead();
  board.change([&](Stats& s) {
    s.failed += was_dead ? 1 : 0;
    s.without_items += job.had_no_item() ? 1 : 0;
  });
  job.tell_end();
  if (was_dead || !job.is_dead()) return;  // its sink threw
  board.change([](Stats& s) { ++s.failed; });
}

void Pipeline::Impl::write(FlightAt flight) {
  const Place place = place_of(file.postprocess);
  const auto job = flight->job;  // its sink ends with it, without our lock
  const auto request = job->request();
  const calls::Scope scope(&board, request.get());
  for (;;) {
    const Time start = Clock::now();
    const auto progress = job->write_some({.stage = *stages.postprocess,
                                           .place = place,
                                           .file = file,
                                           .facts = stages.facts,
                                           .watcher = options.call_watcher});
    if (progress == Job::Progress::kDone) end(*job);
    trace.span("write", start, Clock::now(), "");
    board.change([&](Stats& s) { s.write_s += seconds(start, Clock::now()); });
    replicas->notify();  // credit may have come back
    const std::scoped_lock lock(mutex);
    if (progress == Job::Progress::kDone) {
      if (!unheard) unheard = job->unheard();
      last_done = Clock::now();
      flights.erase(flight);
      landed.notify_all();
      return;
    }
    if (!std::exchange(flight->is_again, false)) {
      flight->is_queued = false;
      return;
    }
  }
}

/// Makes the watchdog, where somebody wants to be told.
void Pipeline::Impl::watch() {
  if (!options.on_stall) return;
  watchdog.emplace(
      &board,
      Watchdog::Rules{
          .stall_s = options.stall_s,
          .tell = [this](const Stall& stall, const calls::Seen& call,
                         bool is_first) { tell(stall, call, is_first); },
          // A Preprocess may wait without an end.
          .look_at_clocks =
              [this] {
                const Time now = Clock::now();
                for (const auto& job : jobs()) {
                  job->look_at_clock(now);
                }
              },
      });
}

/// How full everything is that a request waits in.
std::vector<QueueFill> Pipeline::Impl::queues() {
  std::vector<QueueFill> all;
  {
    const std::scoped_lock lock(mutex);
    all.push_back({"requests in flight", flights.size(),
                   static_cast<std::size_t>(options.max_in_flight)});
  }
  const std::scoped_lock lock(open_mutex);
  if (!is_open) return all;
  all.push_back({"waiting for preprocess", preprocessors->queued(), 0});
  QueueFill waiting{"waiting for batch", 0, 0};
  QueueFill running{"running", 0, 0};
  const auto add = [](QueueFill& to, std::pair<std::size_t, std::size_t> its) {
    to.count += its.first;
    to.most += its.second;
  };
  for (const auto& replica : replicas->all()) {
    add(waiting, replica->arrivals().fill());
    add(running, replica->lane().fill());
  }
  all.push_back(waiting);
  all.push_back(running);
  all.push_back({"waiting for postprocess", writers->queued(), 0});
  return all;
}

/// Tells of a call that does not return. Others' requests go on: where it
/// holds a worker's thread, another stands in.
void Pipeline::Impl::tell(Stall stall, const calls::Seen& call, bool is_first) {
  stall.queues = queues();
  stall.stack = calls::stack_of(call);
  if (is_first && !call.request.empty()) {
    const std::scoped_lock lock(open_mutex);
    const bool is_before = call.stage == "preprocess" || call.stage == "rule";
    if (is_open && is_before) preprocessors->stand_in(call.thread);
    if (is_open && call.stage == "postprocess") writers->stand_in(call.thread);
  }
  if (options.call_watcher != nullptr) {
    calls::look(call, [&](const calls::At& at) {
      if (at.call == nullptr) return;
      options.call_watcher->hangs(*at.call, stall);
    });
  }
  options.on_stall(stall);
}

std::vector<std::shared_ptr<Job>> Pipeline::Impl::jobs() {
  std::vector<std::shared_ptr<Job>> all;
  const std::scoped_lock lock(mutex);
  for (const Flight& flight : flights) all.push_back(flight.job);
  return all;
}

void Pipeline::Impl::cancel_all() {
  for (const auto& job : jobs()) job->stop_source().request_stop();
  if (replicas) replicas->notify();
}

void Pipeline::Impl::wait_for_all() {
  std::unique_lock lock(mutex);
  landed.wait(lock, [&] { return flights.empty(); });
}

void Pipeline::Impl::drain() {
  wait_for_all();
  std::optional<Error> thrown;
  {
    const std::scoped_lock lock(mutex);
    thrown.swap(unheard);
  }
  if (thrown) throw Error(*thrown);
}

Pipeline::Pipeline(PipelineFile file, const PipelineOptions& options)
    : impl_(std::make_unique<Impl>(std::move(file), options)) {}
Pipeline::~Pipeline() = default;

std::stop_source Pipeline::submit(Request request,
                                  std::shared_ptr<ResultSink> sink) {
  return impl_->submit(std::make_shared<Request>(std::move(request)),
                       std::move(sink));
}
std::stop_source Pipeline::submit(const std::shared_ptr<Request>& request,
                                  std::shared_ptr<ResultSink> sink) {
  return impl_->submit(request, std::move(sink));
}
std::shared_ptr<void> Pipeline::more_coming() { return impl_->upstream(); }
void Pipeline::check(const Request& request) const {
  (void)check_options(impl_->file, request.options);
}
std::string Pipeline::device() const {
  std::vector<at::Device> devices;
  for (const auto& replica : impl_->replicas->all()) {
    devices.push_back(replica->device());
  }
  return joined(names_of(devices));
}
void Pipeline::drain() { impl_->drain(); }
void Pipeline::cancel_all() { impl_->cancel_all(); }
const PipelineFile& Pipeline::file() const { return impl_->file; }
const Notes& Pipeline::facts() const { return impl_->stages.facts; }
std::string Pipeline::trace_json() const { return impl_->trace.json(); }
std::string Pipeline::trace_events() const { return impl_->trace.events(); }

Stats Pipeline::stats() const {
  Stats stats = impl_->board.read();
  const std::scoped_lock lock(impl_->mutex);
  const bool is_over = impl_->flights.empty();
  if (impl_->first_submit != Time{}) {
    stats.wall_s =
        seconds(impl_->first_submit, is_over ? impl_->last_done : Clock::now());
  }
  return stats;
}

PipelineCheck check_pipeline(const PipelineFile& file) {
  // What is certain: how much will run at once is not known here.
  const MemoryPlan least = plan_memory(
      composition_of(file), {MemoryLoad{.sequences = 1, .tokens = 1}});
  check_fits(least, memory_limit());
  const auto devices = devices_of(file);
  PipelineCheck check;
  check.device = joined(names_of(devices));
  for (const StageMemory& each : Stages(file).memory(file, devices, {})) {
    check.memory.bytes += each.foreseen.bytes;
    check.memory.sequence_bytes += each.foreseen.sequence_bytes;
    check.memory.context_length =
        std::max(check.memory.context_length, each.foreseen.context_length);
  }
  return check;
}

struct PreprocessOnly::Impl {
  explicit Impl(PipelineFile checked) : file(std::move(checked)), stages(file) {
    stages.open_preprocess(file);
  }
  ~Impl() { stages.close(); }
  PipelineFile file;
  Stages stages;
};

PreprocessOnly::PreprocessOnly(PipelineFile file)
    : impl_(std::make_unique<Impl>(std::move(file))) {}
PreprocessOnly::~PreprocessOnly() = default;

std::vector<Item> PreprocessOnly::run(Request request,
                                      std::vector<std::string>* warnings) {
  class Sink final : public ItemSink {
   public:
    explicit Sink(std::vector<std::string>* told) : warnings(told) {}
    void push(Item item) override {
      item.index = static_cast<std::int64_t>(items.size());
      items.push_back(std::move(item));
    }
    void warn(std::string text) override {
      if (warnings != nullptr) warnings->push_back(std::move(text));
    }
    std::vector<Item> items;
    std::vector<std::string>* warnings;
  };
  request.checked = check_options(impl_->file, request.options);
  Sink sink(warnings);
  run_preprocess(impl_->stages, impl_->file, request, sink);
  return std::move(sink.items);
}

}  // namespace penstock
