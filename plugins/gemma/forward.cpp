#include "gemma/forward.h"

#include <ATen/ops/masked_select.h>

#include <utility>

#include "gemma/native/engine.h"
#include "gemma/reference.h"
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

at::ScalarType reference_dtype(const std::string& dtype, at::Device device) {
  if (dtype == "fp32") return at::kFloat;
  if (dtype == "bf16" || device.is_cuda()) return at::kBFloat16;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bf16")) return at::kBFloat16;
#endif
  return at::kFloat;
}

}  // namespace

void GemmaForward::declare(Declaration<GemmaForward>& d) {
  d.doc("Gemma 3 text model of any size, from GGUF or safetensors")
      .input("tokens: i64[T]")
      .output("scores: f32[R,V]")
      .layouts({Layout::kPacked, Layout::kPadded})
      .makes(kVocabSize, kContextLength, kEosIds, kDtype);
  d.param("engine", &Params::engine,
          "auto, native or reference; auto: native on a CPU, for the shapes it "
          "knows");
  d.param("dtype", &Params::dtype,
          "auto, fp32, bf16 or, native engine only, int8; auto: int8 for "
          "quantised weights, else bf16 where the device computes in it");
  d.param("kv_dtype", &Params::kv_dtype,
          "what keys and values are kept in: auto, fp32, bf16 or int8, native "
          "engine only; auto: as dtype, bf16 with int8; int8 is half of bf16");
  d.param("cache", &Params::cache,
          "keep keys and values of earlier tokens; false: the textbook loop");
  d.param("logits", &Params::logits,
          "also give every position's scores as logits [batch, seq_len, "
          "vocab]")
      .shows();
  d.check([](const Params& p) -> std::string {
    if (p.engine != "auto" && p.engine != "native" && p.engine != "reference") {
      return "engine: '" + p.engine +
             "' is not known; expected auto, native or reference";
    }
    if (p.engine == "native" && (!p.cache || p.logits)) {
      return "engine: native always keeps a cache and gives no logits; use "
             "engine: reference";
    }
    if (p.kv_dtype != "auto" && p.kv_dtype != "fp32" && p.kv_dtype != "bf16" &&
        p.kv_dtype != "int8") {
      return "kv_dtype: '" + p.kv_dtype +
             "' is not known; expected auto, fp32, bf16 or int8";
    }
    if (p.kv_dtype != "auto" &&
        (p.engine == "reference" || !p.cache || p.logits)) {
      return "kv_dtype: " + p.kv_dtype +
             " is of the native engine; the reference keeps its dtype";
    }
    if (p.dtype == "int8" && p.engine == "reference") {
      return "dtype: int8 is of the native engine; use fp32 or bf16";
    }
    if (p.dtype == "auto" || p.dtype == "fp32" || p.dtype == "bf16" ||
        p.dtype == "int8") {
      return "";
    }
    if (p.dtype == "fp16" || p.dtype == "float16" || p.dtype == "half") {
      return "dtype: fp16 cannot hold Gemma 3's activations (they reach 8e5, "
             "fp16 ends at 65504); use bf16 or fp32";
    }
    return "dtype: '" + p.dtype +
           "' is not known; expected auto, fp32, bf16 or int8";
  });
}

/// Whether the native engine runs; throws where it was asked for and cannot.
bool GemmaForward::is_native(const Config& config, at::Device device) const {
  if (params_.engine == "reference") return false;
  const bool can = device.is_cpu() && native::Model::can_run(config);
  if (params_.engine == "native" && !can) {
    throw Error(Code::kUsage,
                device.is_cpu()
                    ? "engine: native needs sizes that are multiples of 32; "
                      "use engine: reference"
                    : "engine: native runs on the CPU; use engine: reference");
  }
  if (params_.dtype == "int8" && !can) {
    throw Error(Code::kUsage, "dtype: int8 is of the native engine");
  }
  if (params_.kv_dtype != "auto" && !can) {
    throw Error(Code::kUsage, "kv_dtype is of the native engine");
  }
  return can && params_.cache && !params_.logits;
}

Footprint GemmaForward::memory(const StageContext& context) const {
  const Checkpoint model(context.model);
  const Config& config = model.config();
  const std::int64_t chunk =
      context.max_step_tokens > 0 ? context.max_step_tokens : config.context;
  if (is_native(config, context.device)) {
    const auto mode = native::NativeEngine::mode(params_.dtype, model);
    const auto kv_type = native::NativeEngine::kv_type(params_.kv_dtype, mode);
    return {.bytes = native::NativeEngine::bytes(model, mode),
            .context_length = config.context,
            .sequence_bytes = native::NativeEngine::sequence_bytes(
                config, mode, kv_type, chunk)};
  }
  const auto dtype = reference_dtype(params_.dtype, context.device);
  return {
      .bytes = weight_bytes(config, dtype),
      .context_length = config.context,
      .sequence_bytes = ReferenceEngine::sequence_bytes(config, dtype, chunk)};
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
  if (is_native(*config_, context.device)) {
    const auto mode = native::NativeEngine::mode(params_.dtype, model);
    const auto kv_type = native::NativeEngine::kv_type(params_.kv_dtype, mode);
    engine_ = std::make_unique<native::NativeEngine>(std::move(model), mode,
                                                     kv_type, context.slots);
  } else {
    engine_ = std::make_unique<ReferenceEngine>(
        model, ReferenceEngine::Options{
                   .dtype = reference_dtype(params_.dtype, context.device),
                   .device = context.device,
                   .slots = params_.cache ? context.slots : 0,
                   .logits = params_.logits});
  }
  set(context.facts, kVocabSize, config_->vocab);
  set(context.facts, kContextLength, config_->context);
  set(context.facts, kEosIds, config_->eos_ids);
  set(context.facts, kDtype, std::string(engine_->dtype()));
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
