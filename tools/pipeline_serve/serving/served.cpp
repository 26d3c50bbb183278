#include "pipeline_serve/serving/served.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "pipeline_serve/serving/client_options.h"

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

/// A composition's parts are held in the same number, each of them large.
std::int64_t crowd_of(const CompositionFile& file) {
  return file.is_one() ? 4 : 2;
}

HttpError unavailable(const std::string& message) {
  HttpError error = http_error(503, message, "", "unavailable");
  error.fields.add("Retry-After", "1");
  return error;
}

double seconds_since(Time begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Counts what passes through it.
class Counted final : public ResultSink {
 public:
  Counted(std::shared_ptr<ResultSink> sink, Served::Ticket ticket,
          std::string model, Metrics& metrics, Time begin)
      : sink_(std::move(sink)),
        ticket_(std::move(ticket)),
        model_(std::move(model)),
        metrics_(metrics),
        begin_(begin) {}

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
    ticket_.reset();  // before the client knows, who may come again at once
    sink_->done(request, report);
  }

 private:
  void count_piece() {
    const Time now = Clock::now();
    const auto before = std::exchange(last_, now);
    metrics_.of(model_, [&](Metrics::Of& of) {
      if (before == Time()) {
        of.first_token.add(std::chrono::duration<double>(now - begin_).count());
      } else {
        of.between_tokens.add(
            std::chrono::duration<double>(now - before).count());
      }
    });
  }
  void count_end(const Report& report) {
    std::int64_t made = 0;
    for (const Branch& branch : report.branches) {
      made += static_cast<std::int64_t>(branch.token_ids.size());
    }
    metrics_.of(model_, [&](Metrics::Of& of) {
      ++of.requests;
      of.failed += report.ending == Ending::kError ? 1 : 0;
      of.cancelled += report.ending == Ending::kCancelled ? 1 : 0;
      of.prompt_tokens += report.prompt_tokens;
      of.generation_tokens += made;
      of.whole.add(seconds_since(begin_));
    });
  }

  std::shared_ptr<ResultSink> sink_;
  Served::Ticket ticket_;
  std::string model_;
  Metrics& metrics_;
  Time begin_, last_{};
};

}  // namespace

Served::Served(std::string name, CompositionFile file, ServedOptions options,
               Metrics& metrics)
    : name_(std::move(name)),
      file_(std::move(file)),
      options_(std::move(options)),
      metrics_(metrics),
      created_(std::chrono::duration_cast<std::chrono::seconds>(
                   std::chrono::system_clock::now().time_since_epoch())
                   .count()),
      slots_(slots_of(file_)),
      places_({.slots = slots_,
               .most = slots_ + options_.max_queue,
               .crowd = crowd_of(file_)}) {
  metrics_.of(name_, [](Metrics::Of&) {});  // zeros are values, too
}

Served::~Served() = default;

void Served::open() {
  PipelineOptions options;
  // admit() is the bound: submit() never waits.
  options.max_in_flight =
      static_cast<int>(crowd_of(file_) * (slots_ + options_.max_queue) + 1);
  options.on_stall = options_.on_stall;
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
  return {nullptr, [this, client, count](void*) {
            places_.give_back(client, count, Clock::now());
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
  auto source = runner().submit(
      std::move(request),
      std::make_shared<Counted>(std::move(sink), ticket, name_, metrics_,
                                call.request.arrived));
  call.reply->on_gone([source]() mutable { source.request_stop(); });
  return source;
}

std::int64_t Served::waiting() const {
  return std::max<std::int64_t>(active() - slots_, 0);
}

void Served::cancel_all() {
  if (is_ready_) runner_->cancel_all();
}

}  // namespace penstock::serve
