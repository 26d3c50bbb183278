#include "forward.h"

#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include <algorithm>

namespace penstock::whisper {
namespace {

at::ScalarType dtype_of(const std::string& name) {
  if (name == "fp32") return at::kFloat;
  if (name == "bf16") return at::kBFloat16;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bf16")) return at::kBFloat16;
#endif
  return at::kFloat;
}

/// Places among the step's tokens whose scores are wanted.
Tokens wanted(const Step& step) {
  Tokens places;
  std::int64_t at = 0;
  for (const Slice& slice : step.slices) {
    at += slice.count;
    for (std::int64_t i = slice.outs; i > 0; --i) places.push_back(at - i);
  }
  return places;
}

}  // namespace

void WhisperForward::declare(Declaration<WhisperForward>& d) {
  d.doc("Whisper of any size, from CTranslate2 or Hugging Face files")
      .input("tokens: i64[T]")
      .input("features: f32[M,F]")
      .output("scores: f32[R,V]")
      .layouts({Layout::kPacked});
  d.param("dtype", &Params::dtype,
          "auto: bf16 where the processor computes in it, else fp32")
      .choices({"auto", "fp32", "bf16"});
  d.param("padding", &Params::padding,
          "what follows the end of the sound in its last window; zeros: as "
          "transformers has it")
      .choices({"silence", "zeros"});
}

std::int64_t WhisperForward::memory(const StageContext& context) const {
  const auto file = Arrays::open(context.model);
  const Config config = read_config(*file);
  const auto dtype = dtype_of(params_.dtype);
  const auto size = static_cast<std::int64_t>(at::elementSize(dtype));
  context.facts["context_length"] = config.context;
  context.facts["row_bytes"] = 2 * config.decoder_layers * config.dim *
                               (config.context + config.positions) * size;
  return file->size() * size;
}

void WhisperForward::open(StageContext& context) {
  if (context.model.empty()) {
    throw Error(Code::kNotFound,
                "no model is named; write `model: whisper-tiny.en` into the "
                "pipeline file");
  }
  if (!context.device.is_cpu()) {
    throw Error(Code::kUnavailable,
                "whisper.forward runs on the CPU alone; use device: cpu");
  }
  const auto dtype = dtype_of(params_.dtype);
  model_.emplace(*Arrays::open(context.model), dtype);
  caches_.resize(static_cast<std::size_t>(context.slots));
  const Config& config = model_->config();
  context.facts["vocab_size"] = config.vocab;
  context.facts["context_length"] = config.context;
  context.facts["window_frames"] = config.window();
  context.facts["dtype"] = std::string(dtype == at::kFloat ? "fp32" : "bf16");
}

void WhisperForward::close() noexcept {
  caches_.clear();
  model_.reset();
}

void WhisperForward::release(int slot) noexcept {
  caches_[static_cast<std::size_t>(slot)] = {};
}

void WhisperForward::truncate(int slot, std::int64_t length) {
  caches_.at(static_cast<std::size_t>(slot)).length = length;
}

at::Tensor WhisperForward::window(const Row& row) const {
  const Config& c = model_->config();
  const at::Tensor& features = get(row.sample->inputs, "features");
  if (features.dim() != 2 || features.size(0) != c.mels) {
    throw Error(Code::kData, str("the features are not [", c.mels,
                                 ", frames], as this model needs them"));
  }
  const at::Tensor* given = find(row.inputs, "seek");
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
    if (!slice.row->is_fresh) continue;
    shown.push_back(window(*slice.row));
    slots.push_back(slice.row->slot);
  }
  if (shown.empty()) return;
  const auto encoded = model_->encode(at::stack(shown));
  for (std::size_t i = 0; i < slots.size(); ++i) {
    caches_.at(static_cast<std::size_t>(slots[i])) =
        model_->begin(encoded[static_cast<std::int64_t>(i)]);
  }
}

Result WhisperForward::forward(const Step& step) {
  encode_fresh(step);
  std::vector<Part> parts;
  for (const Slice& slice : step.slices) {
    Cache& cache = caches_.at(static_cast<std::size_t>(slice.row->slot));
    if (cache.length != slice.begin) {
      throw Error(Code::kInternal,
                  str("the slot holds ", cache.length,
                      " tokens, the step begins at ", slice.begin));
    }
    parts.push_back({.count = slice.count, .cache = &cache});
  }
  const auto hidden = model_->decode(get(step.inputs, "tokens"), parts);
  Result result;
  const Tokens places = wanted(step);
  if (places.empty()) return result;
  result.scores = fill_scores(
      model_->logits(hidden.index_select(0, at::tensor(places, at::kLong))),
      step);
  return result;
}

}  // namespace penstock::whisper
