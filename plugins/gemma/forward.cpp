#include "gemma/forward.h"

#include <ATen/Context.h>
#include <ATen/ops/masked_select.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <utility>

#include "gemma/cuda/open.h"
#include "gemma/native/engine.h"
#include "gemma/reference.h"
#include "gemma/reference_dtype.h"
#include "penstock/keys.h"

namespace penstock::gemma {
namespace {

/// The tokens of any layout, end to end: padding ends here.
Tokens packed_tokens(const Step& step, std::int64_t count) {
  at::Tensor tokens;
  if (step.layout == Layout::kPacked) {
    tokens = get(step.inputs, "tokens");
  } else {
    tokens =
        get(step.inputs, "input_ids")
            .masked_select(get(step.inputs, "attention_mask").to(at::kBool));
  }
  if (tokens.dim() != 1 || tokens.size(0) != count) {
    throw Error(Code::kInternal, str("the batch has ", tokens.numel(),
                                     " tokens, its slices have ", count));
  }
  const auto ids = tokens.contiguous();
  const auto* first = ids.const_data_ptr<std::int64_t>();
  return {first, first + count};
}

void check_ids(const Tokens& tokens, std::int64_t vocab) {
  for (const std::int64_t id : tokens) {
    if (id < 0 || id >= vocab) {
      throw Error(Code::kData, str("token id ", id,
                                   " is not in the "
                                   "model's vocabulary of ",
                                   vocab));
    }
  }
}

using std::string_view_literals::operator""sv;

constexpr std::array kEngines{std::pair{"auto"sv, EngineKind::kAuto},
                              std::pair{"native"sv, EngineKind::kNative},
                              std::pair{"reference"sv, EngineKind::kReference}};
constexpr std::array kDtypes{
    std::pair{"auto"sv, Dtype::kAuto}, std::pair{"fp32"sv, Dtype::kFp32},
    std::pair{"bf16"sv, Dtype::kBf16}, std::pair{"int8"sv, Dtype::kInt8}};
constexpr std::array kSteps{std::pair{"graph"sv, StepWay::kGraph},
                            std::pair{"persistent"sv, StepWay::kPersistent},
                            std::pair{"screened"sv, StepWay::kScreened}};

constexpr const char* kStepDoc =
    "how a card runs a decoding step of at most 8 rows, native engine only; "
    "graph: many kernels; persistent: one that walks the layers, with the same "
    "tokens, but for last bits of norm; screened: many, and of weights in bf16 "
    "the best tokens, the same ones, are found by bytes that are kept beside "
    "the head's. Not measured";

template <class Words>
std::vector<std::string> choices(const Words& words) {
  std::vector<std::string> out;
  for (const auto& word : words) out.emplace_back(word.first);
  return out;
}

template <class Words>
auto meaning(const Words& words, const std::string& word) {
  for (const auto& [known, value] : words) {
    if (known == word) return value;
  }
  throw Error(Code::kUsage, str("'", word, "' is no word of this param"));
}

/// The word for a meaning.
template <class Words, class Value>
std::string_view word_of(const Words& words, Value value) {
  const auto* found =
      std::find_if(words.begin(), words.end(),
                   [&](const auto& word) { return word.second == value; });
  return found->first;
}

bool computes_bf16(at::Device device) {
  return device.is_cuda() && has_bf16(find_gpus(), device);
}

at::ScalarType dtype_here(Dtype dtype, at::Device device) {
  return reference_dtype(dtype, device,
                         dtype == Dtype::kAuto && computes_bf16(device));
}

/// Why the engine of a kind of device cannot run the model there; "": it can.
std::string why_not_native(const Config& config) {
  return native::Model::can_run(config)
             ? ""
             : "it needs sizes that are multiples of 32";
}

/// Of the CUDA engine's library, on gpus.all[index].
std::string why_no_library(const Gpus& gpus, int index, StepWay step) {
  try {
    const auto& library = cuda::open_cuda_library(cuda::cuda_library_path());
    return cuda::why_no_card(library, gpus, index, step);
  } catch (const Error& error) {
    return error.text();
  }
}

std::string why_not_cuda(const Config& config, Dtype dtype, Dtype kv_dtype,
                         StepWay step, int index) {
  std::string why = cuda::why_not(config, dtype, kv_dtype, step);
  if (!why.empty()) return why;
  const Gpus gpus = find_gpus();
  if (index < 0 || index >= std::ssize(gpus.all)) return "the card is not here";
  return why_no_library(gpus, index, step);
}

/// Why the CUDA engine cannot run such a file; "" too where nobody can read it:
/// whoever opens it says that best.
std::string why_not_its_model(const std::string& model, Dtype dtype,
                              Dtype kv_dtype, StepWay step) {
  try {
    return model.empty() ? ""
                         : cuda::why_not(Checkpoint(model).config(), dtype,
                                         kv_dtype, step);
  } catch (const Error&) {
    return "";
  }
}

}  // namespace

GemmaForward::Choice::Choice(const Params& params)
    : engine(meaning(kEngines, params.engine)),
      dtype(meaning(kDtypes, params.dtype)),
      kv_dtype(meaning(kDtypes, params.kv_dtype)),
      step(meaning(kSteps, params.step)),
      cache(params.cache),
      logits(params.logits) {}

std::string GemmaForward::Choice::conflict() const {
  if (engine == EngineKind::kNative && is_reference()) {
    return "engine: native always keeps a cache and gives no logits; use "
           "engine: reference";
  }
  if (kv_dtype != Dtype::kAuto && is_reference()) {
    return "kv_dtype is of the native engine; the reference keeps its dtype";
  }
  if (step != StepWay::kGraph && is_reference()) {
    return str("step: ", word_of(kSteps, step),
               " is of the native engine on a card; the reference launches its "
               "operations one by one");
  }
  if (dtype == Dtype::kInt8 && is_reference()) {
    return "dtype: int8 is of the native engine; use fp32 or bf16";
  }
  return "";
}

GemmaForward::GemmaForward(const Params& params) : choice_(params) {}

void GemmaForward::declare(Declaration<GemmaForward>& d) {
  d.doc("Gemma 3 text model of any size, from GGUF or safetensors")
      .input("tokens: i64[T]")
      .output("scores: f32[R,V]")
      .layouts({Layout::kPacked, Layout::kPadded})
      .devices({"cpu", "cuda"})
      .makes(kVocabSize, kContextLength, kEosIds, kDtype);
  d.param(
       "engine", &Params::engine,
       "auto: native where it knows the model's sizes, on a CPU or, where it "
       "was built, on a card; reference: ATen operations")
      .choices(choices(kEngines));
  d.param(
       "dtype", &Params::dtype,
       "auto: int8 for quantised weights, else bf16 where the device computes "
       "in it; int8: quantised weights as they are, native engine only")
      .choices(choices(kDtypes))
      .aliases(dtype_aliases())
      .refuse("fp16",
              "fp16 cannot hold Gemma 3's activations (they reach 8e5, fp16 "
              "ends at 65504); use bf16 or fp32");
  d.param(
       "kv_dtype", &Params::kv_dtype,
       "what keys and values are kept in, native engine on a CPU only; auto: "
       "as dtype, bf16 with int8; int8 is half of bf16")
      .choices(choices(kDtypes))
      .aliases(dtype_aliases());
  d.param("step", &Params::step, kStepDoc).choices(choices(kSteps));
  d.param("cache", &Params::cache,
          "keep keys and values of earlier tokens; false: the textbook loop");
  d.param("logits", &Params::logits,
          "also give every position's scores as logits [batch, seq_len, "
          "vocab]")
      .shows();
  d.check([](const Params& p) { return Choice(p).conflict(); });
}

std::string GemmaForward::why_no_gpu(const Params& params,
                                     const std::string& model, const Gpus& gpus,
                                     int index) {
  const Choice choice(params);
  std::string reference = why_unusable(gpus);
  if (choice.is_reference()) return reference;
  std::string why =
      why_not_its_model(model, choice.dtype, choice.kv_dtype, choice.step);
  if (why.empty()) why = why_no_library(gpus, index, choice.step);
  const bool is_native_alone =
      choice.engine == EngineKind::kNative || choice.dtype == Dtype::kInt8 ||
      choice.step != StepWay::kGraph || choice.kv_dtype != Dtype::kAuto;
  if (why.empty() || (reference.empty() && !is_native_alone)) return "";
  if (is_native_alone) return why;
  return str("engine: native: ", why, "; engine: reference: ", reference);
}

/// The engine that runs; throws where another was asked for.
GemmaForward::Runs GemmaForward::runs(const Config& config,
                                      at::Device device) const {
  if (choice_.is_reference()) return Runs::kReference;
  if (choice_.step != StepWay::kGraph && device.is_cpu()) {
    throw Error(Code::kUsage,
                str("step: ", word_of(kSteps, choice_.step),
                    " is a way of a card, and this runs on the CPU, whose head "
                    "is always screened; leave it out, or use device: cuda"));
  }
  const std::string why =
      device.is_cpu() ? why_not_native(config)
                      : why_not_cuda(config, choice_.dtype, choice_.kv_dtype,
                                     choice_.step, device.index());
  if (why.empty()) return device.is_cpu() ? Runs::kNative : Runs::kCuda;
  if (choice_.step != StepWay::kGraph) {
    throw Error(Code::kUsage, str("step: ", word_of(kSteps, choice_.step), ": ",
                                  why, "; use step: graph"));
  }
  if (choice_.engine == EngineKind::kNative) {
    throw Error(Code::kUsage,
                str("engine: native: ", why, "; use engine: reference"));
  }
  if (choice_.dtype == Dtype::kInt8) {
    throw Error(Code::kUsage, str("dtype: int8 is of the native engine, which "
                                  "cannot run here: ",
                                  why));
  }
  if (choice_.kv_dtype != Dtype::kAuto) {
    throw Error(Code::kUsage, str("kv_dtype is of the native engine, which "
                                  "cannot run here: ",
                                  why));
  }
  if (device.is_cuda() && !at::hasCUDA()) {
    throw Error(Code::kUnavailable,
                str("engine: native: ", why,
                    "; engine: reference: this build's libtorch has no CUDA"));
  }
  return Runs::kReference;
}

Footprint GemmaForward::memory(const StageContext& context) const {
  const Checkpoint model(context.model);
  // A sequence of the load is as if the model took no longer ones.
  Config config = model.config();
  Footprint own;
  own.context_length = config.context;
  if (context.load.tokens > 0) {
    config.context = std::min(config.context, context.load.tokens);
  }
  const std::int64_t chunk =
      context.max_step_tokens > 0
          ? std::min(context.max_step_tokens, config.context)
          : config.context;
  const Runs runs_here = runs(config, context.device);
  if (runs_here == Runs::kNative) {
    foresee_native(model, config, context.load, chunk, own);
  } else if (runs_here == Runs::kCuda) {
    const cuda::WeightChoice weights = cuda::weight_choice(
        model, choice_.dtype, computes_bf16(context.device));
    cuda::foresee(model, config, weights, choice_.step, context, own);
  } else {
    const auto dtype = dtype_here(choice_.dtype, context.device);
    own.bytes = weight_bytes(config, dtype);
    for (const WeightTensor& tensor : model.file().tensors()) {
      own.opening_bytes += std::ssize(tensor.data);
    }
    own.sequence_bytes = ReferenceEngine::sequence_bytes(config, dtype, chunk);
  }
  return own;
}

void GemmaForward::foresee_native(const Checkpoint& model, const Config& config,
                                  const MemoryLoad& load, std::int64_t chunk,
                                  Footprint& own) const {
  using native::NativeEngine;
  const auto mode = NativeEngine::mode(choice_.dtype, model);
  const auto kv_type = NativeEngine::kv_type(choice_.kv_dtype, mode);
  own.bytes = NativeEngine::bytes(model, mode);
  own.sequence_bytes = NativeEngine::sequence_bytes(config, kv_type, chunk);
  own.working_bytes =
      NativeEngine::step_bytes(config, mode, load.sequences * chunk);
  const WeightTensor& output =
      model.at("output", {config.vocab, config.hidden});
  if (load.best_scores < 0) {
    own.mapped_bytes = std::ssize(output.data);
    own.working_bytes += native::Head::kTogether * config.vocab * 4;
  } else if (load.best_scores > 0) {
    const std::int64_t answer = load.answer > 0 ? load.answer : config.context;
    own.mapped_bytes = NativeEngine::read_bytes(output, load.sequences * answer,
                                                load.best_scores);
  }
  // What stands before the weights, such as the vocabulary, stays mapped.
  std::error_code error;
  const auto size = std::filesystem::file_size(model.file().path(), error);
  if (error) return;  // a folder
  std::int64_t head = static_cast<std::int64_t>(size);
  for (const WeightTensor& tensor : model.file().tensors()) {
    head -= std::ssize(tensor.data);
  }
  own.mapped_bytes += std::max<std::int64_t>(0, head);
}

void GemmaForward::open(StageContext& context) {
  if (context.model.empty()) {
    throw Error(Code::kNotFound,
                "no model is named; write `model:` into the "
                "pipeline file or pass --set model=...");
  }
  Checkpoint model(context.model);
  config_ = model.config();
  const WeightFile& file = model.file();
  if (file.has("tokenizer.ggml.tokens")) {
    const auto pieces = file.texts("tokenizer.ggml.tokens").size();
    if (static_cast<std::int64_t>(pieces) != config_->vocab) {
      throw Error(Code::kData,
                  str("the model has ", config_->vocab,
                      " embeddings, its tokenizer ", pieces, " tokens"));
    }
  }
  open_engine(std::move(model), context);
  set(context.facts, kVocabSize, config_->vocab);
  set(context.facts, kContextLength, config_->context);
  set(context.facts, kEosIds, config_->eos_ids);
  set(context.facts, kDtype, std::string(engine_->dtype()));
}

void GemmaForward::open_engine(Checkpoint model, const StageContext& context) {
  switch (runs(*config_, context.device)) {
    case Runs::kNative: {
      const auto mode = native::NativeEngine::mode(choice_.dtype, model);
      const auto kv_type =
          native::NativeEngine::kv_type(choice_.kv_dtype, mode);
      engine_ = std::make_unique<native::NativeEngine>(std::move(model), mode,
                                                       kv_type, context.slots);
      return;
    }
    case Runs::kCuda:
      engine_ =
          cuda::open_engine(cuda::open_cuda_library(cuda::cuda_library_path()),
                            model, choice_.dtype, choice_.step, context);
      return;
    case Runs::kReference:
      engine_ = std::make_unique<ReferenceEngine>(
          model, ReferenceEngine::Options{
                     .dtype = dtype_here(choice_.dtype, context.device),
                     .device = context.device,
                     .slots = choice_.cache ? context.slots : 0,
                     .logits = choice_.logits});
      return;
  }
}

void GemmaForward::close() noexcept { engine_.reset(); }

Result GemmaForward::forward(const Step& step) {
  std::int64_t count = 0;
  bool is_full = false;
  for (const Slice& slice : step.slices) {
    count += slice.count;
    is_full |= slice.outs > 0 && slice.sequence->want.full;
  }
  const Tokens tokens = packed_tokens(step, count);
  check_ids(tokens, config_->vocab);
  if (is_full) check_size(step.outs(), config_->vocab);
  return engine_->run(step, tokens);
}

}  // namespace penstock::gemma
