#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <utility>

#include "penstock/keys.h"
#include "penstock/stage_call.h"
#include "runtime/emitted.h"
#include "runtime/in_stage.h"
#include "runtime/placement.h"
#include "runtime/sink_gate.h"
#include "runtime/stages.h"
#include "runtime/step_copies.h"

namespace penstock {
namespace {

class Items final : public ItemSink {
 public:
  Items(const Stages& stages, std::size_t stage, std::vector<Item>& to)
      : stages_(stages), stage_(stage), to_(to) {}
  void push(Item item) override {
    stages_.boundary.pushed(stage_, item);
    to_.push_back(std::move(item));
  }

 private:
  const Stages& stages_;
  std::size_t stage_;
  std::vector<Item>& to_;
};

class Values final : public OutputSink {
 public:
  Values(std::size_t branches, std::vector<Value>& to)
      : branches_(branches), to_(to) {}
  void emit(Value value, int branch, bool /*is_final*/) override {
    check_emitted(value, branch, branches_);
    to_.push_back(std::move(value));
  }

 private:
  std::size_t branches_;
  std::vector<Value>& to_;
};

/// One replay: the stages of a file, of which one is open.
class Again {
 public:
  Again(const PipelineFile& file, KeptCall& call)
      : file_(file),
        call_(call),
        stages_(file),
        device_(devices_of(file).front()),
        copies_(device_copies(device_), copied_inputs(*file.forward.spec)) {}
  ~Again() { stages_.close(); }
  Again(const Again&) = delete;
  Again& operator=(const Again&) = delete;

  Replayed operator()();

 private:
  [[nodiscard]] Place place() const {
    return place_of(*file_.stages().at(call_.index));
  }
  [[nodiscard]] const Request& request() const {
    if (call_.requests.empty()) {
      throw Error(Code::kData, "the call was kept without its request");
    }
    return *call_.requests.front();
  }
  void prepare();
  void check(const Item& item) const;
  void check(const Tokens& tokens) const;
  void check(Result result);
  void preprocess();
  void batch();
  void forward();
  void show_cached(Sequence& sequence, std::int64_t count);
  void show(Sequence& sequence, std::int64_t begin, std::int64_t count);
  void decode();
  void postprocess();

  const PipelineFile& file_;
  KeptCall& call_;
  Stages stages_;
  at::Device device_;
  StepCopies copies_;
  Replayed made_;
};

/// What submit() and the intake would have set.
void Again::prepare() {
  for (const auto& request : call_.requests) {
    request->checked = check_options(file_, request->options);
  }
  for (const auto& item : call_.items) {
    item->rules = prepare_rules(stages_, file_, *item->request);
  }
  if (file_.stages().at(call_.index)->spec->kind == StageKind::kPreprocess) {
    return;
  }
  for (const auto& item : call_.items) check(*item);
  for (const auto& sequence : call_.sequences) {
    check(sequence->tokens);
    check(sequence->draft);
    Sequence begun = *sequence;
    begun.tokens = sequence->item->tokens;
    in_stage(place_of(file_.decode), [&] { stages_.boundary.started(begun); });
  }
  in_stage(place_of(file_.batch), [&] {
    for (const Slice& slice : call_.step.slices) {
      Boundary::planned(slice, kAll);
    }
  });
}

/// A kept call may be anything; a run has checked its parts on their way.
void Again::check(const Item& item) const {
  const std::size_t last = file_.preprocess.size() - 1;
  in_stage(place_of(file_.preprocess[last]),
           [&] { stages_.boundary.pushed(last, item); });
}

void Again::check(const Tokens& tokens) const {
  const auto vocab = get_or(stages_.facts, kVocabSize, kAll);
  for (const std::int64_t token : tokens) {
    if (token >= 0 && token < vocab) continue;
    throw Error(Code::kData,
                str("a kept token is ", token, "; the model has ", vocab));
  }
}

void Again::preprocess() {
  Item given;
  if (!call_.items.empty()) {
    const Item& kept = *call_.items.front();
    given.tokens = kept.tokens;
    given.inputs = kept.inputs;
    given.notes = kept.notes;
    given.width = kept.width;
  }
  in_stage(place(), [&] {
    Items sink(stages_, call_.index, made_.items);
    const SinkGate<GatedItems> gate(sink, place());
    stages_.preprocess.at(call_.index)
        ->preprocess(request(), std::move(given), gate.sink());
  });
}

void Again::batch() {
  in_stage(place(), [&] {
    call_.step.inputs = stages_.batch->collate(call_.step.slices);
    stages_.boundary.collated(call_.step);
  });
  made_.inputs = call_.step.inputs;
}

/// Runs tokens [begin, begin + count) alone, wanting nothing of them.
void Again::show(Sequence& sequence, std::int64_t begin, std::int64_t count) {
  sequence.cached = begin;
  sequence.is_fresh = begin == 0;
  Step step;
  step.layout = call_.step.layout;
  step.slices = {Slice{.sequence = &sequence, .count = count, .begin = begin}};
  in_stage(place_of(file_.batch),
           [&] { step.inputs = stages_.batch->collate(step.slices); });
  in_stage(place(), [&] {
    copies_.to_device(step.inputs);
    (void)stages_.forward->forward(step);
  });
}

/// The prompt in pieces as large as Batch would make them, or whole where
/// Forward cannot chunk; then what was decoded, a token at a time.
void Again::show_cached(Sequence& sequence, std::int64_t count) {
  const Want want = std::exchange(sequence.want, {});
  sequence.want.from = kNone;
  const bool can_chunk = stages_.forward->caps().can_chunk;
  const auto prompt = std::ssize(sequence.item->tokens);
  const std::int64_t most = stages_.batch->max_step_tokens();
  for (std::int64_t at = 0; at < count;) {
    std::int64_t piece = std::min(most, count - at);
    if (!can_chunk) piece = at == 0 ? std::min(prompt, count) : 1;
    show(sequence, at, piece);
    at += piece;
  }
  sequence.cached = count;
  sequence.is_fresh = count == 0;
  sequence.want = want;
}

void Again::forward() {
  int slot = 0;
  const int slots = stages_.forward->caps().slots;
  for (const Slice& slice : call_.step.slices) {
    if (slots == 0) break;
    if (slot >= slots) {
      throw Error(Code::kData, str("the step has ", call_.step.slices.size(),
                                   " sequences, but forward has only ", slots,
                                   " slots here"))
          .in(place());
    }
    slice.sequence->slot = slot++;
    show_cached(*slice.sequence, slice.begin);
  }
  in_stage(place_of(file_.batch),
           [&] { stages_.boundary.collated(call_.step); });
  in_stage(place(), [&] {
    copies_.to_device(call_.step.inputs);
    made_.result = stages_.forward->forward(call_.step);
    stages_.boundary.forwarded(call_.step, made_.result);
    check(made_.result);
  });
}

/// Scores of a device are looked at here, as in a run.
void Again::check(Result result) {
  Scores made = result.scores;
  copies_.to_host(result, made);
  Boundary::allowed(call_.step, made);
  for (auto& bad : Boundary::not_finite(call_.step, result.scores)) {
    throw Error(bad.error);
  }
}

void Again::decode() {
  in_stage(place_of(file_.forward),
           [&] { stages_.boundary.forwarded(call_.step, call_.result); });
  in_stage(place(), [&] {
    for (const Slice& slice : call_.step.slices) {
      Sequence& sequence = *slice.sequence;
      if (sequence.item->state) continue;
      // start() sets what the sequence wanted at first, not at that step.
      const Want want = sequence.want;
      const Tokens draft = sequence.draft;
      stages_.decode->start(sequence);
      sequence.want = want;
      sequence.draft = draft;
    }
    made_.result = stages_.decode->pick(call_.step, call_.result);
    Scores made;
    copies_.to_host(made_.result, made);
    stages_.decode->decode(call_.step, made_.result, made_.nexts);
    stages_.boundary.decided(made_.nexts);
    for (const Next& next : made_.nexts) {
      if (next.error) std::rethrow_exception(next.error);
    }
  });
}

void Again::postprocess() {
  int most = 0;
  for (const Decoded& each : call_.decoded) most = std::max(most, each.branch);
  in_stage(place(), [&] {
    const auto writer = stages_.postprocess->begin(request());
    if (!writer) {
      throw Error(Code::kInternal,
                  "begin() gave no Writer; expected one for each request");
    }
    Values sink(static_cast<std::size_t>(most) + 1, made_.values);
    const SinkGate<GatedOutput> gate(sink, place());
    for (const Decoded& each : call_.decoded) {
      (void)writer->write(each, gate.sink());
    }
    if (call_.is_end) writer->end(gate.sink());
  });
}

Replayed Again::operator()() {
  stages_.open_only(file_, device_, call_.index, call_.facts);
  if (call_.is_opening) return std::move(made_);
  prepare();
  switch (file_.stages().at(call_.index)->spec->kind) {
    case StageKind::kPreprocess:
      preprocess();
      break;
    case StageKind::kBatch:
      batch();
      break;
    case StageKind::kForward:
      forward();
      break;
    case StageKind::kDecode:
      decode();
      break;
    case StageKind::kPostprocess:
      postprocess();
      break;
    case StageKind::kRule:
      for (const auto& each : call_.requests) {
        (void)prepare_rules(stages_, file_, *each);
      }
      break;
  }
  return std::move(made_);
}

}  // namespace

CallWatcher::~CallWatcher() = default;
void CallWatcher::called(const StageCall& /*call*/) {}
void CallWatcher::failed(const StageCall& /*call*/, const Error& /*error*/) {}
void CallWatcher::hangs(const StageCall& /*call*/, const Stall& /*stall*/) {}

Replayed replay(const PipelineFile& file, KeptCall& call) {
  if (call.index >= file.stages().size()) {
    throw Error(Code::kData, str("there is no stage ", call.index, " in ",
                                 file.stages().size()));
  }
  const c10::InferenceMode guard;
  return Again(file, call)();
}

}  // namespace penstock
