#include "whisper/forward.h"

#include <ATen/ops/full.h>

#include <algorithm>

#include "penstock/keys.h"
#include "whisper/native/engine.h"
#include "whisper/reference.h"

namespace penstock::whisper {
namespace {

constexpr const char* kNativeIsOfTheCpu =
    "engine: native runs on the CPU alone; use engine: reference";

/// Engine and types that the params mean for a model.
struct Choice {
  bool is_native = false;
  std::string dtype;

  Choice(const WhisperForward::Params& params, const Config& config,
         at::Device device)
      : dtype(params.dtype) {
    const bool can = device.is_cpu() && native::NativeEngine::can_run(config);
    if (params.engine == "native" && !device.is_cpu()) {
      throw Error(Code::kUsage, kNativeIsOfTheCpu);
    }
    if (params.engine == "native" && !can) {
      throw Error(Code::kUsage,
                  "engine: native needs heads of 64 numbers, as every Whisper "
                  "has them; this model has others: use engine: reference");
    }
    is_native = can && params.engine != "reference" &&
                (params.engine == "native" || dtype != "bf16");
    if (dtype == "auto") {
      dtype = is_native && kernels::best().has_int16_dots ? "int16" : "fp32";
    }
    const bool is_rounded = dtype == "int16" || dtype == "int8";
    if (is_native ? dtype == "bf16" : is_rounded) {
      throw Error(Code::kUsage,
                  str("dtype: ", dtype, " is not for the ",
                      is_native ? "native" : "reference", " engine; use ",
                      is_native ? "fp32, int16 or int8" : "fp32 or bf16"));
    }
  }
  [[nodiscard]] kernels::PackedType kind() const {
    if (dtype == "int16") return kernels::PackedType::kInt16;
    return dtype == "int8" ? kernels::PackedType::kInt8
                           : kernels::PackedType::kF32;
  }
  [[nodiscard]] at::ScalarType scalar_type() const {
    return dtype == "bf16" ? at::kBFloat16 : at::kFloat;
  }
};

}  // namespace

void WhisperForward::declare(Declaration<WhisperForward>& d) {
  d.doc("Whisper of any size, from CTranslate2 or Hugging Face files")
      .input("tokens: i64[T]")
      .input("features: f32[M,F]")
      .output("scores: f32[R,V]")
      .next_input("seek: i64[1]")
      .layouts({Layout::kPacked})
      .devices({"cpu", "cuda"})
      .makes(kVocabSize, kContextLength, kWindowFrames, kEngine, kDtype);
  d.param("engine", &Params::engine,
          "auto: native on a CPU where it can run the model; reference: the "
          "model in ATen operations, on any device")
      .choices({"auto", "native", "reference"});
  d.param("dtype", &Params::dtype,
          "auto: int16 where the processor adds up products of such numbers "
          "at once, else fp32; int8: faster, some words change; bf16: the "
          "reference engine")
      .choices({"auto", "int8", "int16", "fp32", "bf16"})
      .aliases(dtype_aliases());
  d.param("padding", &Params::padding,
          "what follows the end of the sound in its last window; zeros: as "
          "transformers has it")
      .choices({"silence", "zeros"});
}

std::string WhisperForward::why_no_gpu(const Params& params,
                                       const std::string& /*model*/,
                                       const Gpus& gpus, int /*index*/) {
  if (params.engine == "native") return kNativeIsOfTheCpu;
  if (params.dtype == "int8" || params.dtype == "int16") {
    return str("dtype: ", params.dtype, " is of the CPU's engine; use fp32 or ",
               "bf16");
  }
  return why_unusable(gpus);
}

Footprint WhisperForward::memory(const StageContext& context) const {
  const auto file = Arrays::open(context.model);
  const Config config = read_config(*file);
  const Choice choice(params_, config, context.device);
  if (choice.is_native) {
    return {.bytes = native::NativeEngine::bytes(choice.kind(), file->size()),
            .context_length = config.context,
            .sequence_bytes =
                native::NativeEngine::sequence_bytes(config, choice.kind())};
  }
  const auto dtype = choice.scalar_type();
  return {
      .bytes = file->size() * static_cast<std::int64_t>(at::elementSize(dtype)),
      .context_length = config.context,
      .sequence_bytes = ReferenceEngine::sequence_bytes(config, dtype)};
}

void WhisperForward::open(StageContext& context) {
  if (context.model.empty()) {
    throw Error(Code::kNotFound,
                "no model is named; write `model: whisper-tiny.en` into the "
                "pipeline file");
  }
  const auto file = Arrays::open(context.model);
  const Choice choice(params_, read_config(*file), context.device);
  slots_ = static_cast<int>(context.slots);
  if (choice.is_native) {
    engine_ =
        std::make_unique<native::NativeEngine>(*file, choice.kind(), slots_);
  } else {
    engine_ = std::make_unique<ReferenceEngine>(*file, choice.scalar_type(),
                                                slots_, context.device);
  }
  const Config& config = engine_->config();
  set(context.facts, kVocabSize, config.vocab);
  set(context.facts, kContextLength, config.context);
  set(context.facts, kWindowFrames, config.window());
  set(context.facts, kEngine, choice.is_native ? "native" : "reference");
  set(context.facts, kDtype, choice.dtype);
}

void WhisperForward::close() noexcept { engine_.reset(); }

void WhisperForward::release(int slot) noexcept { engine_->release(slot); }

void WhisperForward::truncate(int slot, std::int64_t length) {
  engine_->truncate(slot, length);
}

at::Tensor WhisperForward::window(const Sequence& sequence) const {
  const Config& c = engine_->config();
  const at::Tensor& features = get(sequence.item->inputs, "features");
  if (features.dim() != 2 || features.size(0) != c.mels) {
    throw Error(Code::kData, str("the features are not [", c.mels,
                                 ", frames], as this model needs them"));
  }
  const at::Tensor* given = find(sequence.inputs, "seek");
  const std::int64_t seek = given == nullptr ? 0 : given->item<std::int64_t>();
  const std::int64_t count = std::min(c.window(), features.size(1) - seek);
  auto shown = features.narrow(1, seek, count);
  if (count == c.window()) return shown;
  // The spectrogram's floor is 8 decades below its largest: 2 after scaling.
  const double silence =
      params_.padding == "zeros" ? 0 : features.max().item<double>() - 2;
  auto out = at::full({c.mels, c.window()}, silence, features.options());
  out.narrow(1, 0, count).copy_(shown);
  return out;
}

void WhisperForward::encode_fresh(const Step& step) {
  std::vector<at::Tensor> shown;
  std::vector<int> slots;
  for (const Slice& slice : step.slices) {
    if (!slice.sequence->is_fresh) continue;
    shown.push_back(window(*slice.sequence));
    slots.push_back(slice.sequence->slot);
  }
  if (!shown.empty()) engine_->encode(shown, slots);
}

Result WhisperForward::forward(const Step& step) {
  encode_fresh(step);
  std::vector<NewTokens> texts;
  for (const Slice& slice : step.slices) {
    const int slot = slice.sequence->slot;
    if (engine_->length(slot) != slice.begin) {
      throw Error(Code::kInternal,
                  str("the slot holds ", engine_->length(slot),
                      " tokens, the step begins at ", slice.begin));
    }
    texts.push_back({.slot = slot, .count = slice.count});
  }
  const Tokens places = wanted_places(step);
  const auto scores =
      engine_->decode(get(step.inputs, "tokens"), texts, places);
  Result result;
  if (!places.empty()) result.scores = fill_scores(scores, step);
  return result;
}

}  // namespace penstock::whisper
