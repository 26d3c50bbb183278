#include "gemma/reference.h"

#include <ATen/Context.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "penstock/error.h"

namespace penstock::gemma {
namespace {

/// Positions scored at once, so that long scoring needs little memory:
/// 64 x 262,144 f32 are 64 MiB.
constexpr std::int64_t kScoreBlock = 64;

/// Scores [N, vocab] of packed tokens as [B, T, vocab], zero in the padding.
at::Tensor rectangle(const at::Tensor& logits, const Step& step) {
  if (step.layout == Layout::kPacked) return logits.unsqueeze(0);
  const auto mask =
      get(step.inputs, "attention_mask").to(at::kBool).to(logits.device());
  auto out =
      at::zeros({mask.size(0), mask.size(1), logits.size(1)}, logits.options());
  out.index_put_({mask}, logits);
  return out;
}

}  // namespace

ReferenceEngine::ReferenceEngine(const Checkpoint& model,
                                 const Options& options)
    : ReferenceEngine(model.config(),
                      load_weights(model, options.dtype, options.device),
                      options) {}

ReferenceEngine::ReferenceEngine(const Config& config, Weights weights,
                                 const Options& options)
    : config_(config),
      options_(options),
      model_(config_, std::move(weights)),
      caches_(static_cast<std::size_t>(options.slots),
              [config = config_, tensors = at::TensorOptions()
                                               .dtype(options.dtype)
                                               .device(options.device)] {
                return std::make_unique<KvCache>(config, kRollback, tensors);
              }) {
  // cuDNN's attention builds a plan for each new length: 95 ms a token.
  if (options.device.is_cuda()) at::globalContext().setSDPUseCuDNN(false);
}

std::int64_t ReferenceEngine::sequence_bytes(const Config& config,
                                             at::ScalarType dtype,
                                             std::int64_t chunk) {
  const auto number = static_cast<std::int64_t>(at::elementSize(dtype));
  const std::int64_t count = std::min(chunk, config.context);
  // Attention: the mask with what it is made of, and, unless all heads share
  // them, the keys and values of a layer for each head.
  std::int64_t step = count * config.context * (number + 2);
  if (config.kv_heads > 1) {
    step += 2 * config.heads * config.head_dim * config.context * number;
  }
  // Activations; that four such sets live at once was measured.
  const std::int64_t widths =
      2 * config.ffn + 4 * config.hidden + 2 * config.heads * config.head_dim;
  step += 4 * count * widths * number;
  return KvCache::bytes(config, kRollback, count, number) + step;
}

std::string_view ReferenceEngine::dtype() const {
  return options_.dtype == at::kBFloat16 ? "bf16" : "fp32";
}

Caps ReferenceEngine::caps() const {
  return cache_caps(config_, caches_.size());
}

std::vector<SequenceChunk> ReferenceEngine::chunks(const Step& step) {
  std::vector<SequenceChunk> chunks;
  for (const Slice& slice : step.slices) {
    SequenceChunk chunk{.begin = slice.begin, .count = slice.count};
    if (caches_.size() > 0) chunk.cache = &caches_.of(slice);
    chunks.push_back(chunk);
  }
  return chunks;
}

Scores ReferenceEngine::score(const at::Tensor& hidden,
                              const Step& step) const {
  const std::int64_t count = hidden.size(0);
  Scores scores;
  if (wants_hidden(step)) scores.hidden = hidden.to(at::kFloat);
  if (!wants_scores(step)) return scores;
  for (std::int64_t at = 0; at < count; at += kScoreBlock) {
    const auto block = hidden.narrow(0, at, std::min(kScoreBlock, count - at));
    append(scores, fill_scores(model_.logits(block), step, at));
  }
  return scores;
}

Result ReferenceEngine::run(const Step& step, const Tokens& tokens) {
  const auto count = static_cast<std::int64_t>(tokens.size());
  if (options_.logits) check_size(count, config_.vocab);
  const auto ids = at::tensor(tokens).to(options_.device);
  const auto wanted =
      at::tensor(wanted_places(step), at::kLong).to(options_.device);
  Result result;
  if (!options_.logits) {
    const auto hidden = model_.hidden(ids, chunks(step), wanted, step.probe);
    result.scores = score(hidden, step);
    return result;
  }
  Tokens every(tokens.size());
  std::iota(every.begin(), every.end(), 0);
  const auto hidden = model_.hidden(
      ids, chunks(step), at::tensor(every).to(options_.device), step.probe);
  result.out.emplace_back("logits", rectangle(model_.logits(hidden), step));
  result.scores = score(hidden.index_select(0, wanted), step);
  return result;
}

}  // namespace penstock::gemma
