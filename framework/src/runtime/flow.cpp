#include "runtime/flow.h"

#include <algorithm>
#include <utility>

#include "runtime/in_stage.h"

namespace penstock {
namespace {

Report failure(const Error& error) {
  Report report;
  report.ending = Ending::kError;
  report.finish_reason = "error";
  report.error = error;
  return report;
}

/// Nothing that comes later changes how the whole ended.
bool is_final(const Report& report) {
  return report.error || report.ending == Ending::kCancelled;
}

}  // namespace

/// Of one part: what its pipeline gives goes to the flow, and a stop of the
/// flow stops it. It lives as long as the part is in its pipeline.
class Flow::Sink final : public ResultSink {
 public:
  Sink(std::shared_ptr<Flow> flow, std::size_t at, std::int64_t part)
      : flow_(std::move(flow)), at_(at), part_(part) {}

  /// Also when the flow was stopped before: submitting may have waited.
  void stop_with_flow(std::stop_source part) {
    on_stop_.emplace(flow_->stop_.get_token(),
                     [part]() mutable { part.request_stop(); });
  }
  void piece(const Request& /*request*/, const Value& value, int branch,
             bool is_final) override {
    flow_->piece(at_, part_,
                 {.value = value, .branch = branch, .is_final = is_final});
  }
  void done(const Request& /*request*/, const Report& report) override {
    flow_->part_done(at_, part_, report);
  }

 private:
  std::shared_ptr<Flow> flow_;
  std::size_t at_;
  std::int64_t part_;
  std::optional<std::stop_callback<std::function<void()>>> on_stop_;
};

Flow::Flow(const FlowHome& home, Request request,
           std::shared_ptr<ResultSink> sink, Landed landed)
    : home_(home),
      request_([&] {
        request.stop = stop_.get_token();
        return std::move(request);
      }()),
      options_(options_of_steps(home.file, request_.options)),
      sink_(std::move(sink)),
      landed_(std::move(landed)),
      tracks_(home.file.steps.size()) {}

void Flow::begin() {
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    if (!step(i).source().empty()) {
      tracks_[i].more_coming = home_.pipelines[i]->more_coming();
    }
  }
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    if (step(i).source().empty()) add_part(i, nullptr);
  }
  {
    const Lock lock(mutex_);
    for (std::size_t i = 0; i < tracks_.size(); ++i) {
      if (step(i).source().empty()) close(i, lock);
    }
  }
  deliver();
}

std::vector<std::size_t> Flow::consumers(std::size_t at) const {
  std::vector<std::size_t> out;
  for (std::size_t i = at + 1; i < tracks_.size(); ++i) {
    if (step(i).source() == step(at).name) out.push_back(i);
  }
  return out;
}

/// The input that a step's outputs go to.
const std::string& Flow::fed_input(std::size_t at) const {
  const auto& in = step(at).in;
  return std::find_if(
             in.begin(), in.end(),
             [](const auto& named) { return !named.second.each.empty(); })
      ->first;
}

/// Of the port that is fed; text is one that no stage declares.
std::string Flow::fed_dtype(std::size_t at) const {
  for (const Port& port : step(at).file.preprocess.front().spec->inputs) {
    if (port.name == fed_input(at)) return port.dtype;
  }
  return "text";
}

/// For a stage that takes media words would be the name of a file, and those
/// that a step gives never are: beside JSON they say that nothing was found.
/// Else the steps do not belong together.
void Flow::check_words(std::size_t at, Part& part) const {
  const bool has_words =
      std::any_of(part.texts.begin(), part.texts.end(),
                  [](const auto& branch) { return !branch.second.empty(); });
  if (part.has_outputs || !has_words) return;
  for (const std::size_t i : consumers(at)) {
    const std::string dtype = fed_dtype(i);
    if (dtype == "text" || (dtype == "media" && part.has_json)) continue;
    part.report = failure(Error(
        Code::kData, str("it gives words alone, and the input '", fed_input(i),
                         "' of step '", step(i).name, "' takes ", dtype,
                         dtype == "media" ? "; words never name a file" : "")));
  }
}

Request Flow::request_of(std::size_t at, const Value* given) const {
  Request out;
  out.id = request_.id;
  out.options = options_[at];
  out.deadline = request_.deadline;
  out.session = request_.session;
  out.step = step(at).name;
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

void Flow::add_part(std::size_t at, const Value* given) {
  const auto request = std::make_shared<Request>(request_of(at, given));
  {
    const Lock lock(mutex_);
    Track& track = tracks_[at];
    request->index = track.first + std::ssize(track.parts);
    track.parts.emplace_back().request = request;
    track.onward.emplace_back();
    ++track.open;
  }
  const auto sink =
      std::make_shared<Sink>(shared_from_this(), at, request->index);
  try {
    sink->stop_with_flow(home_.pipelines[at]->submit(request, sink));
  } catch (...) {
    part_done(at, request->index, failure(current_error()));
  }
}

Flow::Part& Flow::part_of(std::size_t at, std::int64_t part,
                          const Lock& /*lock*/) {
  Track& track = tracks_[at];
  return track.parts[static_cast<std::size_t>(part - track.first)];
}

void Flow::keep_output(std::size_t at, std::int64_t part, Value output,
                       const Lock& /*lock*/) {
  Track& track = tracks_[at];
  track.onward[static_cast<std::size_t>(part - track.first_onward)]
      .outputs.push_back(std::move(output));
}

/// Makes requests of what the parts gave, and waits for room for them: those of
/// the first part as they come, those of others when all before are over. One
/// thread does it; who comes meanwhile leaves his to it.
void Flow::hand_on(std::size_t at) {
  const auto below = consumers(at);
  Track& track = tracks_[at];
  Lock lock(mutex_);
  if (track.is_handing_on) return;
  track.is_handing_on = true;
  bool has_ended = false;
  while (!track.onward.empty()) {
    Onward& first = track.onward.front();
    if (!first.outputs.empty()) {
      const Value output = std::move(first.outputs.front());
      first.outputs.pop_front();
      lock.unlock();
      const bool are_words = std::holds_alternative<std::string>(output);
      for (const std::size_t i : below) {
        if (!are_words || fed_dtype(i) == "text") add_part(i, &output);
      }
      lock.lock();
      continue;
    }
    if (!first.is_over) break;
    track.onward.pop_front();
    ++track.first_onward;
    end_part(at, lock);
    has_ended = true;
  }
  track.is_handing_on = false;
  lock.unlock();
  if (has_ended) deliver();
}

void Flow::piece(std::size_t at, std::int64_t part, Piece piece) {
  const bool has_takers = !consumers(at).empty();
  const bool is_text = std::holds_alternative<std::string>(piece.value);
  const bool is_output = !is_text && !std::holds_alternative<Json>(piece.value);
  {
    const Lock lock(mutex_);
    Part& from = part_of(at, part, lock);
    if (is_text && has_takers) {
      from.texts[piece.branch] += std::get<std::string>(piece.value);
    }
    from.has_outputs |= is_output;
    from.has_json |= std::holds_alternative<Json>(piece.value);
    if (is_output && has_takers) keep_output(at, part, piece.value, lock);
    from.held.push_back(std::move(piece));
  }
  deliver();
  if (is_output && has_takers) hand_on(at);
}

void Flow::part_done(std::size_t at, std::int64_t part, const Report& report) {
  {
    const Lock lock(mutex_);
    Part& from = part_of(at, part, lock);
    from.report = report;
    if (!report.error) check_words(at, from);
    for (auto& [branch, text] : from.texts) {
      const bool is_output = !from.has_outputs && !text.empty();
      if (is_output && !from.report->error) {
        keep_output(at, part, std::move(text), lock);
      }
    }
    from.texts.clear();
    Track& track = tracks_[at];
    track.onward[static_cast<std::size_t>(part - track.first_onward)].is_over =
        true;
  }
  deliver();
  hand_on(at);
}

/// Nothing of the part can become a request any more.
void Flow::end_part(std::size_t at, const Lock& lock) {
  Track& track = tracks_[at];
  if (--track.open > 0 || !track.is_closed) return;
  for (const std::size_t i : consumers(at)) close(i, lock);
}

/// The step gets no further requests.
void Flow::close(std::size_t at, const Lock& lock) {
  tracks_[at].is_closed = true;
  tracks_[at].more_coming.reset();
  if (tracks_[at].open > 0) return;
  for (const std::size_t i : consumers(at)) close(i, lock);
}

/// Makes the calls whose turn has come, one at a time and without the lock:
/// the sink may take as long as it likes, and cancel. Whoever brings a call
/// waits for the one before, so that a slow sink slows what it reads.
void Flow::deliver() {
  Lock lock(mutex_);
  turn_.wait(lock, [&] { return !is_calling_; });
  is_calling_ = true;
  bool is_landed = false;
  while (const Call next = next_call(lock)) {
    is_landed = is_over_;
    lock.unlock();
    call(next);
    lock.lock();
  }
  is_calling_ = false;
  lock.unlock();
  turn_.notify_one();
  if (is_landed) landed_(shared_from_this(), unheard_);
}

void Flow::call(const Call& call) {
  try {
    call(*sink_);
  } catch (...) {
    const Place sink{.kind = Place::Kind::kSink, .name = "", .detail = ""};
    const Error error = current_error(sink);
    if (is_over_) {
      unheard_ = error;
      unheard_->in(Place::request(request_.id));
    } else if (!sink_error_) {
      sink_error_ = error;
      stop_.request_stop();
    }
  }
}

/// Nothing: nobody's turn has come.
Flow::Call Flow::next_call(const Lock& lock) {
  bool is_over = true;
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    if (Call call = next_of(tracks_[i], step(i).name, lock)) return call;
    is_over &= tracks_[i].is_told;
  }
  if (!is_over || std::exchange(is_over_, true)) return nullptr;
  return [this](ResultSink& sink) { sink.done(request_, whole()); };
}

/// The requests of a step often tell the same; a few of them say enough.
void Flow::keep_warnings(const Report& report, std::vector<std::string>& kept) {
  constexpr std::size_t kMost = 16;
  for (const std::string& text : report.warnings) {
    const bool is_known =
        std::find(kept.begin(), kept.end(), text) != kept.end();
    if (!is_known && kept.size() < kMost) kept.push_back(text);
  }
}

Flow::Call Flow::next_of(Track& track, const std::string& name,
                         const Lock& /*lock*/) {
  if (track.parts.empty()) {
    const bool is_over = track.is_closed && track.open == 0;
    if (!is_over || std::exchange(track.is_told, true)) return nullptr;
    return [&name](ResultSink& sink) { sink.step_done(name); };
  }
  Part& part = track.parts.front();
  if (!part.held.empty()) {
    const auto piece = std::make_shared<Piece>(std::move(part.held.front()));
    part.held.pop_front();
    return [this, request = part.request, piece](ResultSink& sink) {
      if (!first_piece_) first_piece_ = Clock::now();
      if (sink_error_) return;  // it wants no more
      sink.piece(*request, piece->value, piece->branch, piece->is_final);
    };
  }
  if (!part.report) return nullptr;
  track.tokens += part.report->prompt_tokens;
  track.reused += part.report->reused_tokens;
  keep_warnings(*part.report, track.warnings);
  if (!track.report || !is_final(*track.report)) track.report = part.report;
  const auto report = std::make_shared<Report>(*std::move(part.report));
  const auto request = std::move(part.request);
  track.parts.pop_front();
  ++track.first;
  return [request, report](ResultSink& sink) {
    sink.part_done(*request, *report);
  };
}

/// After every step. Of one pipeline alone it is that one's report.
Report Flow::whole() const {
  Report out = home_.file.is_one() && tracks_.front().report
                   ? *tracks_.front().report
                   : sum();
  if (sink_error_) {
    out.ending = Ending::kError;
    out.finish_reason = "error";
    out.error = sink_error_;
  }
  return out;
}

Report Flow::sum() const {
  Report out;
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    const auto& report = tracks_[i].report;
    out.prompt_tokens += tracks_[i].tokens;
    out.reused_tokens += tracks_[i].reused;
    for (const std::string& text : tracks_[i].warnings) {
      out.warnings.push_back(str("step '", step(i).name, "': ", text));
    }
    if (!report || is_final(out)) continue;
    out.ending = report->ending;
    out.finish_reason = report->finish_reason;
    if (!report->error) continue;
    Error error = *report->error;
    out.error = error.in(Place::step(step(i).name));
  }
  if (out.finish_reason.empty()) out.finish_reason = "end";
  out.branches.push_back({.finish_reason = out.finish_reason, .token_ids = {}});
  const auto since = [&](Time now) {
    return std::chrono::duration<double, std::milli>(now - submitted_).count();
  };
  const Time now = Clock::now();
  out.timing.first_token_ms = since(first_piece_.value_or(now));
  out.timing.decode_ms = since(now) - out.timing.first_token_ms;
  return out;
}

}  // namespace penstock
