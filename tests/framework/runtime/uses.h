// A pipeline of five lambdas, for the tests of what the interfaces are for.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "penstock/runner.h"
#include "tests/framework/runtime/fakes.h"

namespace penstock::uses {

/// What each stage does. What is unset does the plain thing: one item of the
/// text's numbers; every sequence at once, its tokens end to end; scores of the
/// ring's hash; nothing; tokens as text.
struct Stages {
  std::vector<std::function<void(const Request&, Item, ItemSink&)>> preprocess;
  std::function<Tensors(std::span<const Slice>)> collate;
  Caps caps;
  Notes facts;                           ///< that Forward tells
  std::function<std::int64_t()> memory;  ///< that Forward would take
  /// Instead of `memory`: all that it foresees.
  std::function<Footprint(const StageContext&)> footprint;
  std::function<void()> in_caps, in_forwards_open;
  std::function<Result(const Step&)> forward;
  std::function<void(Sequence&)> start;
  std::function<Result(const Step&, Result)> pick;
  std::function<void(const Step&, const Result&, std::vector<Next>&)> decode;
  std::function<bool(const Decoded&, OutputSink&)> write;
  std::vector<NoteSpec> notes;  ///< that any of them may set
  std::function<void(Item&)> admit;
  NoteSpecs forward_facts, decode_facts;
  std::function<void(StageContext&)> open_forward, open_decode;
  std::vector<Port> next_inputs;
  int max_sequences = 4;
  std::int64_t chunk = 1 << 20;
};

/// As if it had been loaded; `stages` must outlive the pipeline.
[[nodiscard]] PipelineFile file(Stages& stages);

/// f32[R, kVocab] from a function of (slice, position within the sequence).
[[nodiscard]] at::Tensor scores(
    const Step& step,
    const std::function<float(const Slice&, std::int64_t, std::int64_t)>& of);

/// Results that have just these scores.
[[nodiscard]] Result full_scores(at::Tensor full);
[[nodiscard]] Result hidden_states(at::Tensor hidden);

/// What a stage named "value", as a Value and back.
[[nodiscard]] Value value_of(const at::Tensor& tensor);
[[nodiscard]] float number(const Value& value, std::int64_t at = 0);
/// A Writer that emits what Decode named "value".
bool emit_tensor(const Decoded& decoded, OutputSink& out);

/// The values of branch 0.
[[nodiscard]] const std::vector<Value>& values(const Outcome& outcome);
/// Those that are text, of every branch.
[[nodiscard]] std::vector<std::string> texts(const Outcome& outcome);

/// Runs requests of these texts to their end, in a new pipeline.
[[nodiscard]] std::vector<Outcome> run(Stages& stages,
                                       const std::vector<std::string>& texts);

}  // namespace penstock::uses
