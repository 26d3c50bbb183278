#include "penstock/composition.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>

#include "runtime/in_stage.h"

namespace penstock {
namespace {

/// A request of one step, and what it wrote that is not yet handed on.
struct Part {
  Request request;
  std::vector<std::pair<Value, int>> held;
  std::map<int, std::string> texts;  ///< by branch, for the steps below
  bool has_outputs = false;          ///< some were no text
  std::optional<Report> report;
};

struct Track {
  std::deque<Part> parts;  ///< never shrinks: references stay good
  int open = 0;            ///< parts whose outputs may still become requests
  bool is_closed = false;  ///< no further parts
  std::shared_ptr<void> more_coming;
};

Report failure(const Error& error) {
  Report report;
  report.finish_reason = "error";
  report.error = error;
  return report;
}

}  // namespace

StepSink::~StepSink() = default;

struct Composition::Impl {
  Impl(CompositionFile composed, const PipelineOptions& options)
      : file(std::move(composed)) {
    for (const StepConfig& step : file.steps) {
      try {
        pipelines.push_back(std::make_unique<Pipeline>(step.file, options));
      } catch (Error& error) {
        throw error.in(Place::step(step.name));
      }
    }
  }
  ~Impl() {
    cancel_all();
    drain();
  }

  void cancel_all();
  void drain() {
    std::unique_lock lock(mutex);
    landed.wait(lock, [&] { return flows.empty(); });
  }

  class Flow;

  const CompositionFile file;
  std::vector<std::unique_ptr<Pipeline>> pipelines;  ///< by step
  std::mutex mutex;
  std::condition_variable landed;
  std::set<std::shared_ptr<Flow>> flows;
};

/// A request on its way through the steps. Its lock is held while the sink is
/// called, never while a pipeline takes a request: that may wait for room. The
/// sink may cancel, so what that needs has a lock of its own.
class Composition::Impl::Flow final
    : public std::enable_shared_from_this<Flow> {
 public:
  Flow(Impl& impl, Request request, std::shared_ptr<StepSink> sink)
      : impl_(impl),
        request_(std::move(request)),
        options_(options_of_steps(impl.file, request_.options)),
        sink_(std::move(sink)),
        tracks_(impl.file.steps.size()),
        on_stop_(stop_.get_token(), [this] { stop_parts(); }) {
    request_.stop = stop_.get_token();
  }

  [[nodiscard]] std::stop_source& stop_source() { return stop_; }

  void begin() {
    for (std::size_t i = 0; i < tracks_.size(); ++i) {
      if (!step(i).source().empty()) {
        tracks_[i].more_coming = impl_.pipelines[i]->more_coming();
      }
    }
    for (std::size_t i = 0; i < tracks_.size(); ++i) {
      if (step(i).source().empty()) add_part(i, nullptr);
    }
    std::unique_lock lock(mutex_);
    for (std::size_t i = 0; i < tracks_.size(); ++i) {
      if (step(i).source().empty()) close(i);
    }
    hand_on(lock);
  }

 private:
  class Sink;

  [[nodiscard]] const StepConfig& step(std::size_t at) const {
    return impl_.file.steps[at];
  }
  [[nodiscard]] std::vector<std::size_t> consumers(std::size_t at) const {
    std::vector<std::size_t> out;
    for (std::size_t i = at + 1; i < tracks_.size(); ++i) {
      if (step(i).source() == step(at).name) out.push_back(i);
    }
    return out;
  }
  [[nodiscard]] Request request_of(std::size_t at, const Value* given) const;
  void add_part(std::size_t at, const Value* given);
  void piece(std::size_t at, std::size_t part, const Value& value, int branch);
  void part_done(std::size_t at, std::size_t part, const Report& report);
  void end_part(std::size_t at);
  void close(std::size_t at);
  void hand_on(std::unique_lock<std::mutex>& lock);
  void hand_on_part(Track& track);
  [[nodiscard]] Report whole() const;
  void stop_parts();

  Impl& impl_;
  Request request_;
  const std::vector<std::map<std::string, Raw>> options_;
  const std::shared_ptr<StepSink> sink_;

  std::mutex mutex_;
  std::vector<Track> tracks_;  ///< by step
  std::size_t at_ = 0;         ///< the step whose results are handed on
  std::size_t part_ = 0;       ///< and which of its requests
  bool is_over_ = false;
  Time submitted_ = Clock::now();
  std::optional<Time> first_;

  std::mutex stops_mutex_;
  std::vector<std::stop_source> stops_;  ///< of the parts
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> on_stop_;
};

class Composition::Impl::Flow::Sink final : public ResultSink {
 public:
  Sink(std::shared_ptr<Flow> flow, std::size_t at, std::size_t part)
      : flow_(std::move(flow)), at_(at), part_(part) {}

  void piece(const Request& /*request*/, const Value& value, int branch,
             bool /*is_final*/) override {
    flow_->piece(at_, part_, value, branch);
  }
  void done(const Request& /*request*/, const Report& report) override {
    flow_->part_done(at_, part_, report);
  }

 private:
  std::shared_ptr<Flow> flow_;
  std::size_t at_, part_;
};

Request Composition::Impl::Flow::request_of(std::size_t at,
                                            const Value* given) const {
  Request out;
  out.id = request_.id;
  out.options = options_[at];
  out.deadline = request_.deadline;
  if (step(at).in.empty()) out.inputs = request_.inputs;
  for (const auto& [name, edge] : step(at).in) {
    if (!edge.each.empty()) {
      out.inputs[name] = *given;
      continue;
    }
    const auto found = request_.inputs.find(edge.input);
    if (found != request_.inputs.end()) out.inputs[name] = found->second;
  }
  return out;
}

void Composition::Impl::Flow::add_part(std::size_t at, const Value* given) {
  Request request = request_of(at, given);
  std::size_t part = 0;
  {
    const std::scoped_lock lock(mutex_);
    part = tracks_[at].parts.size();
    tracks_[at].parts.emplace_back().request = request;
    ++tracks_[at].open;
  }
  try {
    auto stop = impl_.pipelines[at]->submit(
        std::move(request),
        std::make_shared<Sink>(shared_from_this(), at, part));
    {
      const std::scoped_lock lock(stops_mutex_);
      stops_.push_back(stop);
    }
    // It may have waited for room while the request was cancelled.
    if (stop_.stop_requested()) stop.request_stop();
  } catch (...) {
    part_done(at, part, failure(current_error()));
  }
}

void Composition::Impl::Flow::piece(std::size_t at, std::size_t part,
                                    const Value& value, int branch) {
  const auto below = consumers(at);
  bool is_output = false;
  {
    std::unique_lock lock(mutex_);
    Part& from = tracks_[at].parts[part];
    from.held.emplace_back(value, branch);
    if (const auto* text = std::get_if<std::string>(&value)) {
      if (!below.empty()) from.texts[branch] += *text;
    } else {
      is_output = !std::holds_alternative<Json>(value);
      from.has_outputs |= is_output;
    }
    hand_on(lock);
  }
  if (!is_output) return;
  for (const std::size_t i : below) add_part(i, &value);
}

void Composition::Impl::Flow::part_done(std::size_t at, std::size_t part,
                                        const Report& report) {
  std::vector<Value> outputs;
  {
    std::unique_lock lock(mutex_);
    Part& from = tracks_[at].parts[part];
    from.report = report;
    for (auto& [branch, text] : from.texts) {
      const bool is_output = !from.has_outputs && !text.empty();
      if (is_output && !report.error) outputs.emplace_back(std::move(text));
    }
    from.texts.clear();
    hand_on(lock);
  }
  for (const std::size_t i : consumers(at)) {
    for (const Value& value : outputs) add_part(i, &value);
  }
  std::unique_lock lock(mutex_);
  end_part(at);
  hand_on(lock);
}

/// With the lock: nothing of the part can become a request any more.
void Composition::Impl::Flow::end_part(std::size_t at) {
  Track& track = tracks_[at];
  if (--track.open > 0 || !track.is_closed) return;
  for (const std::size_t i : consumers(at)) close(i);
}

/// With the lock: the step gets no further requests.
void Composition::Impl::Flow::close(std::size_t at) {
  tracks_[at].is_closed = true;
  tracks_[at].more_coming.reset();
  if (tracks_[at].open > 0) return;
  for (const std::size_t i : consumers(at)) close(i);
}

void Composition::Impl::Flow::hand_on_part(Track& track) {
  Part& part = track.parts[part_];
  const StepRequest from{.step = step(at_),
                         .index = static_cast<std::int64_t>(part_),
                         .request = part.request};
  for (const auto& [value, branch] : part.held) {
    if (!first_) first_ = Clock::now();
    sink_->piece(from, value, branch);
  }
  part.held.clear();
  if (part.report) sink_->step_done(from, *part.report);
}

/// With the lock: gives the sink what has its turn.
void Composition::Impl::Flow::hand_on(std::unique_lock<std::mutex>& lock) {
  while (at_ < tracks_.size()) {
    Track& track = tracks_[at_];
    if (part_ < track.parts.size()) {
      hand_on_part(track);
      if (!track.parts[part_].report) return;
      ++part_;
    } else if (track.is_closed && track.open == 0) {
      ++at_;
      part_ = 0;
    } else {
      return;
    }
  }
  if (std::exchange(is_over_, true)) return;
  sink_->done(request_, whole());
  const auto keep = shared_from_this();  // the set's may be the last
  lock.unlock();
  const std::scoped_lock landing(impl_.mutex);
  impl_.flows.erase(keep);
  impl_.landed.notify_all();
}

Report Composition::Impl::Flow::whole() const {
  Report out;
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    for (const Part& part : tracks_[i].parts) {
      const Report& report = *part.report;
      out.prompt_tokens += report.prompt_tokens;
      for (const std::string& warning : report.warnings) {
        const std::string text = str("step '", step(i).name, "': ", warning);
        // The requests of a step often tell the same.
        if (out.warnings.empty() || out.warnings.back() != text) {
          out.warnings.push_back(text);
        }
      }
      if (out.error || out.finish_reason == "cancelled") continue;
      out.finish_reason = report.finish_reason;
      if (!report.error) continue;
      Error error = *report.error;
      out.error = error.in(Place::step(step(i).name));
    }
  }
  if (out.finish_reason.empty()) out.finish_reason = "end";
  out.branches.push_back({.finish_reason = out.finish_reason, .token_ids = {}});
  const auto since = [&](Time now) {
    return std::chrono::duration<double, std::milli>(now - submitted_).count();
  };
  const Time now = Clock::now();
  out.timing.first_token_ms = since(first_.value_or(now));
  out.timing.decode_ms = since(now) - out.timing.first_token_ms;
  return out;
}

void Composition::Impl::Flow::stop_parts() {
  std::vector<std::stop_source> all;
  {
    const std::scoped_lock lock(stops_mutex_);
    all = stops_;
  }
  for (auto& each : all) each.request_stop();
}

void Composition::Impl::cancel_all() {
  std::set<std::shared_ptr<Flow>> all;
  {
    const std::scoped_lock lock(mutex);
    all = flows;
  }
  for (const auto& flow : all) flow->stop_source().request_stop();
}

Composition::Composition(CompositionFile file, const PipelineOptions& options)
    : impl_(std::make_unique<Impl>(std::move(file), options)) {}
Composition::~Composition() = default;

void Composition::check(const Request& request) const {
  auto options = options_of_steps(impl_->file, request.options);
  for (std::size_t i = 0; i < options.size(); ++i) {
    Request part;
    part.options = std::move(options[i]);
    try {
      impl_->pipelines[i]->check(part);
    } catch (Error& error) {
      throw error.in(Place::step(impl_->file.steps[i].name));
    }
  }
}

std::stop_source Composition::submit(Request request,
                                     std::shared_ptr<StepSink> sink) {
  check(request);
  const auto flow =
      std::make_shared<Impl::Flow>(*impl_, std::move(request), std::move(sink));
  {
    const std::scoped_lock lock(impl_->mutex);
    impl_->flows.insert(flow);
  }
  flow->begin();
  return flow->stop_source();
}

std::shared_ptr<void> Composition::more_coming() {
  auto all = std::make_shared<std::vector<std::shared_ptr<void>>>();
  for (const auto& pipeline : impl_->pipelines) {
    all->push_back(pipeline->more_coming());
  }
  return all;
}

void Composition::drain() { impl_->drain(); }
void Composition::cancel_all() { impl_->cancel_all(); }
const CompositionFile& Composition::file() const { return impl_->file; }
std::string Composition::device() const {
  return impl_->pipelines.back()->device();
}

std::vector<std::pair<std::string, Stats>> Composition::stats() const {
  std::vector<std::pair<std::string, Stats>> out;
  for (std::size_t i = 0; i < impl_->pipelines.size(); ++i) {
    out.emplace_back(impl_->file.steps[i].name, impl_->pipelines[i]->stats());
  }
  return out;
}

}  // namespace penstock
