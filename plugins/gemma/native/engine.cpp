#include "gemma/native/engine.h"

#include <ATen/ops/all.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "penstock/error.h"

namespace penstock::gemma::native {
namespace {

/// Tokens that go through the layers at once: enough to use each weight often,
/// few enough for their activations to stay in the cache.
constexpr std::int64_t kMostTokens = 512;
/// Positions whose scores are found in one pass over the vocabulary.
constexpr std::int64_t kScoreRows = 16;
/// Most of the best scores that are screened for; with more wanted, computing
/// every score costs less.
constexpr std::int64_t kMostTop = 512;

std::vector<float> final_norm(const Checkpoint& model) {
  return model.norm("output_norm", model.config().hidden);
}

const WeightTensor& output(const Checkpoint& model) {
  return model.at("output", {model.config().vocab, model.config().hidden});
}

/// Union of what a step's positions want.
struct Wanted {
  std::int64_t top = 0;
  std::size_t ids = 0;
  bool every = false;  ///< needs every score of the vocabulary
  bool follow = false;

  explicit Wanted(const Step& step) {
    for (const Slice& slice : step.slices) {
      if (slice.outs == 0) continue;
      const Want& want = slice.sequence->want;
      top = std::max(top, want.top);
      ids = std::max(ids, want.ids.size());
      every |= want.full || want.norm || want.top > kMostTop;
      follow |= want.follow;
    }
  }
};

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
      head_(output(weights_), final_norm(weights_), kernels::best(),
            /*is_mapped=*/true),
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
  return layer_bytes(model, mode) + kernels::ScreenedHead::bytes(output(model));
}

std::int64_t NativeEngine::sequence_bytes(const Config& config,
                                          ComputeType mode, KvType kv_type,
                                          std::int64_t chunk) {
  return KvPages::bytes(config, kv_type, kRollback,
                        std::min(chunk, config.context)) +
         Model::step_bytes(config, mode, std::min(chunk, kMostTokens));
}

std::string_view NativeEngine::dtype() const {
  if (mode_ == ComputeType::kInt8) return "int8";
  return mode_ == ComputeType::kBf16 ? "bf16" : "fp32";
}

Caps NativeEngine::caps() const { return cache_caps(config_, caches_.size()); }

void NativeEngine::hidden_states(const Step& step, const Tokens& tokens,
                                 const Tokens& wanted, float* out) {
  std::vector<SequenceChunk> chunks;
  Tokens places;  // wanted positions among the chunks' tokens
  std::int64_t rows = 0;
  auto next = wanted.begin();
  const auto flush = [&] {
    if (rows == 0) return;
    model_.run(chunks, places, out);
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

Scores NativeEngine::best(const at::Tensor& hidden, std::int64_t k) {
  const std::int64_t count = hidden.size(0);
  Scores scores;
  scores.ids = at::empty({count, k}, at::kLong);
  scores.values = at::empty({count, k}, at::kFloat);
  const auto found = head_.best(hidden.const_data_ptr<float>(), count, k);
  for (std::size_t r = 0; r < found.size(); ++r) {
    const auto at = static_cast<std::int64_t>(r) * k;
    std::copy(found[r].ids.begin(), found[r].ids.end(),
              scores.ids.mutable_data_ptr<std::int64_t>() + at);
    std::copy(found[r].scores.begin(), found[r].scores.end(),
              scores.values.mutable_data_ptr<float>() + at);
  }
  return scores;
}

/// Scores of single ids: the wanted ones, and the token that follows.
void NativeEngine::pick(const at::Tensor& hidden, const Step& step,
                        std::int64_t first, std::size_t ids, bool has_follow,
                        Scores& scores) const {
  const std::int64_t count = hidden.size(0);
  const auto width = static_cast<std::int64_t>(ids);
  if (has_follow) scores.follow = at::empty({count}, at::kFloat);
  if (ids > 0) scores.at = at::zeros({count, width}, at::kFloat);
  std::int64_t out = 0;
  for (const Slice& slice : step.slices) {
    const Sequence& sequence = *slice.sequence;
    for (std::int64_t i = slice.count - slice.outs; i < slice.count;
         ++i, ++out) {
      const std::int64_t r = out - first;
      if (r < 0 || r >= count) continue;
      const float* state = hidden.const_data_ptr<float>() + r * config_.hidden;
      if (has_follow) {
        const std::int64_t next = slice.begin + i + 1;
        scores.follow.mutable_data_ptr<float>()[r] =
            next < sequence.length() ? head_.score(state, sequence.token(next))
                                     : std::numeric_limits<float>::quiet_NaN();
      }
      for (std::size_t n = 0; n < sequence.want.ids.size(); ++n) {
        scores.at.mutable_data_ptr<float>()[r * width +
                                            static_cast<std::int64_t>(n)] =
            head_.score(state, sequence.want.ids[n]);
      }
    }
  }
}

Scores NativeEngine::score(const at::Tensor& hidden, const Step& step) {
  const Wanted wanted(step);
  const std::int64_t count = hidden.size(0);
  Scores scores;
  if (wants_hidden(step)) scores.hidden = hidden;
  if (!wants_scores(step)) return scores;
  for (std::int64_t at = 0; at < count; at += kScoreRows) {
    const auto rows = hidden.narrow(0, at, std::min(kScoreRows, count - at));
    // NaN must reach Decode, which reports it.
    if (wanted.every || !at::isfinite(rows).all().item<bool>()) {
      const auto all = at::empty({rows.size(0), config_.vocab}, at::kFloat);
      head_.all(rows.const_data_ptr<float>(), rows.size(0),
                all.mutable_data_ptr<float>());
      append(scores, fill_scores(all, step, at));
      continue;
    }
    Scores part;
    if (wanted.top > 0) part = best(rows, std::min(wanted.top, config_.vocab));
    pick(rows, step, at, wanted.ids, wanted.follow, part);
    append(scores, part);
  }
  return scores;
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
  result.scores = score(hidden, step);
  return result;
}

}  // namespace penstock::gemma::native
