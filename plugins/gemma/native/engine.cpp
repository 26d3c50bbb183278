#include "gemma/native/engine.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "penstock/error.h"

namespace penstock::gemma::native {
namespace {

/// Tokens that go through the layers at once: enough to use each weight often,
/// few enough for their activations to stay in the cache.
constexpr std::int64_t kMostTokens = 512;
/// Rows of the vocabulary whose scores are computed exactly to find the best
/// one, and for each further one. Measured with the 270M model: twice as many
/// for each token that came; but few answers have all the tokens they may.
constexpr double kExactRows = 180;
constexpr double kExactRowsForOne = 20;
constexpr double kFilePage = 4096;
std::vector<float> final_norm(const Checkpoint& model) {
  return model.norm("output_norm", model.config().hidden);
}

const WeightTensor& output(const Checkpoint& model) {
  return model.at("output", {model.config().vocab, model.config().hidden});
}

bool has_bf16() {
#if defined(__x86_64__)
  // NOLINTNEXTLINE(readability-implicit-bool-conversion): a bool to clang
  return __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

}  // namespace

NativeEngine::NativeEngine(Checkpoint model, ComputeType mode, KvType kv_type,
                           int slots)
    : weights_(std::move(model)),
      config_(weights_.config()),
      mode_(mode),
      model_(weights_, mode, kv_type),
      head_(output(weights_), final_norm(weights_)),
      caches_(static_cast<std::size_t>(slots), [config = config_, kv_type] {
        return std::make_unique<KvPages>(config, kv_type, kRollback);
      }) {}

ComputeType NativeEngine::mode(Dtype dtype, const Checkpoint& model) {
  if (dtype == Dtype::kBf16) return ComputeType::kBf16;
  if (dtype == Dtype::kFp32) return ComputeType::kF32;
  if (is_quantised(model)) return ComputeType::kInt8;
  if (dtype == Dtype::kInt8) {
    throw Error(Code::kUsage,
                "dtype: int8 needs quantised weights; this model's are not");
  }
  return has_bf16() ? ComputeType::kBf16 : ComputeType::kF32;
}

KvType NativeEngine::kv_type(Dtype kv_dtype, ComputeType mode) {
  if (kv_dtype == Dtype::kInt8) return KvType::kInt8;
  if (kv_dtype == Dtype::kBf16) return KvType::kBf16;
  return kv_dtype == Dtype::kFp32 || mode == ComputeType::kF32 ? KvType::kF32
                                                               : KvType::kBf16;
}

std::int64_t NativeEngine::bytes(const Checkpoint& model, ComputeType mode) {
  return layer_bytes(model, mode) + Head::bytes(output(model));
}

std::int64_t NativeEngine::sequence_bytes(const Config& config, KvType kv_type,
                                          std::int64_t chunk) {
  return KvPages::bytes(config, kv_type, kRollback,
                        std::min(chunk, config.context));
}

std::int64_t NativeEngine::step_bytes(const Config& config, ComputeType mode,
                                      std::int64_t tokens) {
  return Model::step_bytes(config, mode, std::min(tokens, kMostTokens));
}

std::int64_t NativeEngine::read_bytes(const WeightTensor& output,
                                      std::int64_t tokens, std::int64_t best) {
  const auto all = static_cast<double>(output.data.size());
  // Each row that is computed exactly takes a page of the file into memory,
  // until all have been there.
  const double rows =
      static_cast<double>(tokens) *
      (kExactRows + kExactRowsForOne * static_cast<double>(best));
  const double pages = std::max(1.0, all / kFilePage);
  return static_cast<std::int64_t>(all * (1 - std::exp(-rows / pages)));
}

std::string_view NativeEngine::dtype() const {
  if (mode_ == ComputeType::kInt8) return "int8";
  return mode_ == ComputeType::kBf16 ? "bf16" : "fp32";
}

Caps NativeEngine::caps() const { return cache_caps(config_, caches_.size()); }

namespace {

/// Shows a probe what the reference engine shows it; nothing without one.
Model::Show shower(Probe* probe, std::int64_t hidden) {
  if (probe == nullptr) return {};
  return [=](std::int64_t layer, const float* x, std::int64_t rows) {
    const std::string name = layer < 0 ? "embeddings" : str("layer.", layer);
    const at::Tensor all = at::empty({rows, hidden}, at::kFloat);
    std::copy_n(x, rows * hidden, all.mutable_data_ptr<float>());
    probe->tensor(name, all);
  };
}

}  // namespace

void NativeEngine::hidden_states(const Step& step, const Tokens& tokens,
                                 const Tokens& wanted, float* out) {
  std::vector<SequenceChunk> chunks;
  Tokens places;  // wanted positions among the chunks' tokens
  std::int64_t rows = 0;
  auto next = wanted.begin();
  const auto show = shower(step.probe, config_.hidden);
  const auto flush = [&] {
    if (rows == 0) return;
    model_.run(chunks, places, out, show);
    out += static_cast<std::int64_t>(places.size()) * config_.hidden;
    chunks.clear();
    places.clear();
    rows = 0;
  };
  std::int64_t at = 0;
  for (const Slice& slice : step.slices) {
    KvPages& pages = caches_.of(slice);
    for (std::int64_t done = 0; done < slice.count;) {
      if (rows == kMostTokens) flush();
      const std::int64_t count =
          std::min(slice.count - done, kMostTokens - rows);
      chunks.push_back(
          {.begin = slice.begin + done,
           .tokens = std::span(tokens).subspan(static_cast<std::size_t>(at),
                                               static_cast<std::size_t>(count)),
           .cache = &pages});
      for (; next != wanted.end() && *next < at + count; ++next) {
        places.push_back(rows + *next - at);
      }
      rows += count;
      done += count;
      at += count;
    }
  }
  flush();
}

Result NativeEngine::run(const Step& step, const Tokens& tokens) {
  const Tokens wanted = wanted_places(step);
  if (step.probe != nullptr) {
    step.probe->count("matmul_rows", static_cast<std::int64_t>(tokens.size()));
  }
  const auto hidden = at::empty(
      {static_cast<std::int64_t>(wanted.size()), config_.hidden}, at::kFloat);
  hidden_states(step, tokens, wanted, hidden.mutable_data_ptr<float>());
  Result result;
  result.scores = head_.scores(hidden, step);
  return result;
}

}  // namespace penstock::gemma::native
