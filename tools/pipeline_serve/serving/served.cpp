#include "pipeline_serve/serving/served.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "pipeline_serve/serving/client_options.h"
#include "pipeline_serve/serving/fingerprint.h"

namespace penstock::serve {
namespace {

/// Where the batch stage does not say how many sequences it takes.
constexpr std::int64_t kSlots = 8;

/// How many requests the last step runs together.
std::int64_t slots_of(const CompositionFile& file) {
  const auto& settings = file.steps.back().file.batch.settings;
  const auto found = settings.find("max_sequences");
  if (found == settings.end()) return kSlots;
  const auto* count = std::get_if<std::int64_t>(&found->second.value);
  return count == nullptr ? kSlots : std::max<std::int64_t>(*count, 1);
}

/// Its steps' numbers in a trace: those of all pipelines are shown together.
int next_process(int steps) {
  static std::atomic<int> next{1};
  return next.fetch_add(steps);
}

/// A composition's parts are held in the same number, each of them large.
std::int64_t crowd_of(const CompositionFile& file) {
  return file.is_one() ? 4 : 2;
}

HttpError unavailable(const std::string& message) {
  HttpError error = http_error(503, message, "", "unavailable");
  error.fields.add("Retry-After", "1");
  return error;
}

/// What is told of a request, and to whom.
struct Told {
  std::string model;
  Metrics& metrics;
  TraceBook* trace;                   ///< null: no trace
  std::optional<TraceParent> parent;  ///< of a traced one
  std::shared_ptr<CallTimes> times;   ///< null: nobody asked
  Time arrived;
};

double ms_between(Time begin, Time end) {
  return std::chrono::duration<double, std::milli>(end - begin).count();
}

/// Counts what passes through it.
class Counted final : public ResultSink {
 public:
  Counted(std::shared_ptr<ResultSink> sink, Served::Ticket ticket, Told told)
      : sink_(std::move(sink)),
        ticket_(std::move(ticket)),
        told_(std::move(told)) {
    count([&](Metrics::Of& of) { of.begin(submitted_); });
  }
  ~Counted() override {  // it may have been refused
    if (!is_over_) count([](Metrics::Of& of) { of.end(Clock::now()); });
  }

  void piece(const Request& request, const Value& value, int branch,
             bool is_final) override {
    if (branch == 0) count_piece();
    sink_->piece(request, value, branch, is_final);
  }
  void part_done(const Request& request, const Report& report) override {
    sink_->part_done(request, report);
  }
  void step_done(const std::string& step) override { sink_->step_done(step); }
  void done(const Request& request, const Report& report) override {
    count_end(report);
    if (told_.times) tell_times(report.timing);
    if (told_.trace != nullptr) trace(request, report);
    ticket_.reset();  // before the client knows, who may come again at once
    sink_->done(request, report);
  }

 private:
  template <class Change>
  void count(const Change& change) {
    told_.metrics.of(told_.model, change);
  }
  void count_piece() {
    const Time now = Clock::now();
    const auto before = std::exchange(last_, now);
    if (before == Time()) first_ = now;
    count([&](Metrics::Of& of) {
      if (before == Time()) {
        of.first_token.add(ms_between(told_.arrived, now) / 1000);
      } else {
        of.between_tokens.add(ms_between(before, now) / 1000);
      }
    });
  }
  void count_end(const Report& report) {
    is_over_ = true;
    const Time now = Clock::now();
    count([&](Metrics::Of& of) {
      of.end(now);
      ++of.requests;
      of.failed += report.ending == Ending::kError ? 1 : 0;
      of.cancelled += report.ending == Ending::kCancelled ? 1 : 0;
      of.prompt_tokens += report.prompt_tokens;
      of.cached_tokens += std::min(report.reused_tokens, report.prompt_tokens);
      of.prefix_hits += report.reused_tokens > 0 ? 1 : 0;
      of.whole.add(ms_between(told_.arrived, now) / 1000);
    });
  }
  void tell_times(const Timing& timing) {
    told_.times->longest("queue", timing.queue_ms);
    told_.times->longest("prompt", timing.prefill_ms);
    if (first_ == Time()) return;
    told_.times->shortest("first_token", ms_between(told_.arrived, first_));
  }
  void trace(const Request& request, const Report& report) {
    told_.trace->request({.id = request.id,
                          .model = told_.model,
                          .parent = told_.parent,
                          .arrived = told_.arrived,
                          .submitted = submitted_,
                          .ended = Clock::now(),
                          .timing = report.timing,
                          .finish_reason = report.finish_reason});
  }

  std::shared_ptr<ResultSink> sink_;
  Served::Ticket ticket_;
  Told told_;
  const Time submitted_ = Clock::now();
  Time first_{}, last_{};
  bool is_over_ = false;
};

}  // namespace

Served::Served(std::string name, CompositionFile file, ServedOptions options,
               Metrics& metrics)
    : name_(std::move(name)),
      file_(std::move(file)),
      fingerprint_(serve::fingerprint(file_)),
      options_(std::move(options)),
      metrics_(metrics),
      created_(std::chrono::duration_cast<std::chrono::seconds>(
                   std::chrono::system_clock::now().time_since_epoch())
                   .count()),
      slots_(slots_of(file_)),
      places_({.slots = slots_,
               .most = slots_ + options_.max_queue,
               .crowd = crowd_of(file_)}),
      uses_(std::make_shared<std::atomic<std::int64_t>>(0)) {
  metrics_.of(name_, [](Metrics::Of&) {});  // zeros are values, too
}

Served::~Served() = default;

std::shared_ptr<Served> Served::use() {
  ++*uses_;
  return {this, [uses = uses_](Served*) {
            if (--*uses == 0) uses->notify_all();
          }};
}

void Served::wait_unused() const {
  for (std::int64_t now = *uses_; now > 0; now = *uses_) uses_->wait(now);
}

void Served::open() {
  PipelineOptions options;
  options.trace = options_.trace != nullptr;
  options.trace_name = name_;
  options.trace_process = next_process(static_cast<int>(file_.steps.size()));
  // admit() is the bound: submit() never waits.
  options.max_in_flight =
      static_cast<int>(crowd_of(file_) * (slots_ + options_.max_queue) + 1);
  options.on_stall = options_.on_stall;
  options.stall_s = options_.stall_s;
  runner_ = std::make_unique<Runner>(file_, options);
  is_ready_ = true;
}

Runner& Served::runner() {
  if (!is_ready_) throw unavailable(str("'", name_, "' is being opened"));
  return *runner_;
}

HttpError Served::full() const {
  HttpError error = http_error(429,
                               str("'", name_, "' has ", options_.max_queue,
                                   " requests waiting; try again later"),
                               "", "queue_full");
  error.fields.add("Retry-After",
                   std::to_string(static_cast<int>(
                       std::clamp(std::ceil(places_.drain_s()), 1.0, 120.0))));
  return error;
}

Served::Ticket Served::admit(const Call& call, std::int64_t count) {
  if (is_closed_) throw unavailable("the server is ending");
  (void)runner();
  const std::string& client = call.request.client;
  if (!places_.take(client, count)) {
    metrics_.of(name_, [](Metrics::Of& of) { ++of.refused; });
    throw full();
  }
  return {nullptr, [used = use(), client, count](void*) {
            used->places_.give_back(client, count, Clock::now());
          }};
}

std::stop_source Served::submit(Request request,
                                std::shared_ptr<ResultSink> sink,
                                const Ticket& ticket, const Call& call) {
  if (request.id.empty()) request.id = call.request.id;
  set_client_options(file_, call.request, request);
  if (options_.timeout_s > 0) {
    const Time last = call.request.arrived +
                      std::chrono::duration_cast<Clock::duration>(
                          std::chrono::duration<double>(options_.timeout_s));
    request.deadline = std::min(request.deadline.value_or(last), last);
  }
  Told told{.model = name_,
            .metrics = metrics_,
            .trace = options_.trace,
            .parent = {},
            .times = call.times,
            .arrived = call.request.arrived};
  if (told.trace != nullptr) {
    told.parent = trace_parent_of(call.request.fields);
  }
  auto source = runner().submit(
      std::move(request),
      std::make_shared<Counted>(std::move(sink), ticket, std::move(told)));
  call.reply->on_gone([source]() mutable { source.request_stop(); });
  return source;
}

std::int64_t Served::waiting() const {
  return std::max<std::int64_t>(active() - slots_, 0);
}

std::int64_t Served::generated() const {
  std::int64_t out = 0;
  if (!is_ready_) return out;
  for (const auto& [step, stats] : runner_->stats()) out += stats.tokens_out;
  return out;
}

std::string Served::trace_json() const {
  return is_ready_ ? runner_->trace_json() : std::string();
}

void Served::cancel_all() {
  if (is_ready_) runner_->cancel_all();
}

}  // namespace penstock::serve
