#include "penstock/runner.h"

#include <condition_variable>
#include <mutex>
#include <set>

#include "runtime/flow.h"

namespace penstock {
namespace {

PipelineOptions options_for(const CompositionFile& file, std::size_t at,
                            PipelineOptions options) {
  const bool is_last = at + 1 == file.steps.size();
  if (!is_last) options.until = StageKind::kPostprocess;
  options.trace_process += static_cast<int>(at);
  const std::string& step = file.steps[at].name;
  if (!options.trace_name.empty() && !step.empty()) options.trace_name += ".";
  options.trace_name += step;
  return options;
}

/// A sink for who wants nothing but the pieces of the last step.
class Stream final : public ResultSink {
 public:
  Stream(std::string step, Runner::OnPiece on_piece,
         std::function<void(const Error&)> on_error)
      : step_(std::move(step)),
        on_piece_(std::move(on_piece)),
        on_error_(std::move(on_error)) {}
  void piece(const Request& request, const Value& value, int branch,
             bool /*is_final*/) override {
    if (request.step == step_) on_piece_(value, branch);
  }
  void done(const Request& /*request*/, const Report& report) override {
    if (report.error) on_error_(*report.error);
  }

 private:
  std::string step_;
  Runner::OnPiece on_piece_;
  std::function<void(const Error&)> on_error_;
};

}  // namespace

struct Runner::Impl {
  Impl(CompositionFile checked, const PipelineOptions& options)
      : file(std::move(checked)) {
    for (std::size_t i = 0; i < file.steps.size(); ++i) {
      try {
        pipelines.push_back(std::make_unique<Pipeline>(
            file.steps[i].file, options_for(file, i, options)));
      } catch (Error& error) {
        throw named(error, file.steps[i]);
      }
    }
  }
  ~Impl() {
    cancel_all();
    wait_for_all();
  }

  /// A pipeline alone has no step to name.
  static Error named(Error& error, const StepConfig& step) {
    return step.name.empty() ? error : error.in(Place::step(step.name));
  }
  void check(const Request& request) const;
  std::stop_source submit(Request request, std::shared_ptr<ResultSink> sink);
  void land(const std::shared_ptr<Flow>& flow,
            const std::optional<Error>& thrown);
  void keep(const Error& error) {
    const std::scoped_lock lock(mutex);
    if (!unheard) unheard = error;
  }
  void wait_for_all() {
    std::unique_lock lock(mutex);
    landed.wait(lock, [&] { return flows.empty(); });
  }
  void drain();
  void cancel_all();

  const CompositionFile file;
  std::vector<std::unique_ptr<Pipeline>> pipelines;  ///< by step
  std::mutex mutex;
  std::condition_variable landed;
  std::set<std::shared_ptr<Flow>> flows;
  std::optional<Error> unheard;  ///< what nobody was told yet
};

void Runner::Impl::check(const Request& request) const {
  auto options = options_of_steps(file, request.options);
  for (std::size_t i = 0; i < options.size(); ++i) {
    Request part;
    part.options = std::move(options[i]);
    try {
      pipelines[i]->check(part);
    } catch (Error& error) {
      throw named(error, file.steps[i]);
    }
  }
}

std::stop_source Runner::Impl::submit(Request request,
                                      std::shared_ptr<ResultSink> sink) {
  check(request);
  const auto flow = std::make_shared<Flow>(
      FlowHome{.file = file, .pipelines = pipelines}, std::move(request),
      std::move(sink),
      [this](const auto& over, const auto& thrown) { land(over, thrown); });
  {
    const std::scoped_lock lock(mutex);
    flows.insert(flow);
  }
  flow->begin();
  return flow->stop_source();
}

void Runner::Impl::land(const std::shared_ptr<Flow>& flow,
                        const std::optional<Error>& thrown) {
  if (thrown) keep(*thrown);
  const std::scoped_lock lock(mutex);
  flows.erase(flow);
  landed.notify_all();
}

void Runner::Impl::drain() {
  wait_for_all();
  std::optional<Error> first;
  {
    const std::scoped_lock lock(mutex);
    first.swap(unheard);
  }
  if (first) throw Error(*first);
}

void Runner::Impl::cancel_all() {
  std::set<std::shared_ptr<Flow>> all;
  {
    const std::scoped_lock lock(mutex);
    all = flows;
  }
  for (const auto& flow : all) flow->stop_source().request_stop();
  for (const auto& pipeline : pipelines) pipeline->cancel_all();
}

Runner::Runner(CompositionFile file, const PipelineOptions& options)
    : impl_(std::make_unique<Impl>(std::move(file), options)) {}
Runner::Runner(PipelineFile file, const PipelineOptions& options)
    : Runner(composition_of(std::move(file)), options) {}
Runner::~Runner() = default;

void Runner::check(const Request& request) const { impl_->check(request); }

std::stop_source Runner::submit(Request request,
                                std::shared_ptr<ResultSink> sink) {
  return impl_->submit(std::move(request), std::move(sink));
}

std::stop_source Runner::submit(Request request, OnPiece on_piece) {
  return impl_->submit(
      std::move(request),
      std::make_shared<Stream>(
          impl_->file.steps.back().name, std::move(on_piece),
          [impl = impl_.get()](const Error& error) { impl->keep(error); }));
}

Outcome Runner::run(Request request) {
  const auto all = std::make_shared<Collector>(impl_->file.steps.back().name);
  impl_->submit(std::move(request), all);
  const Outcome& outcome = all->wait();
  if (outcome.report.error) throw Error(*outcome.report.error);
  return outcome;
}

std::shared_ptr<void> Runner::more_coming() {
  auto all = std::make_shared<std::vector<std::shared_ptr<void>>>();
  for (const auto& pipeline : impl_->pipelines) {
    all->push_back(pipeline->more_coming());
  }
  return all;
}

void Runner::drain() { impl_->drain(); }
void Runner::cancel_all() { impl_->cancel_all(); }
const CompositionFile& Runner::file() const { return impl_->file; }
const Notes& Runner::facts() const { return impl_->pipelines.back()->facts(); }
std::string Runner::device() const { return impl_->pipelines.back()->device(); }

std::vector<std::pair<std::string, Stats>> Runner::stats() const {
  std::vector<std::pair<std::string, Stats>> out;
  for (std::size_t i = 0; i < impl_->pipelines.size(); ++i) {
    out.emplace_back(impl_->file.steps[i].name, impl_->pipelines[i]->stats());
  }
  return out;
}

std::string Runner::trace_json() const {
  std::string all;
  for (const auto& pipeline : impl_->pipelines) {
    const std::string events = pipeline->trace_events();
    all += (all.empty() || events.empty() ? "" : ",\n") + events;
  }
  return "{\"traceEvents\":[\n" + all + (all.empty() ? "]}\n" : "\n]}\n");
}

}  // namespace penstock
