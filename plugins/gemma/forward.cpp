#include "forward.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <utility>

namespace penstock::gemma {
namespace {

/// Tokens that a sliding layer's cache can always forget: enough for drafts
/// and retries, little beside the window.
constexpr std::int64_t kRollback = 64;
/// Positions scored at once, so that long scoring needs little memory:
/// 64 x 262,144 f32 are 64 MiB.
constexpr std::int64_t kScoreBlock = 64;
constexpr std::int64_t kMostScoreBytes = std::int64_t{4} << 30;

/// The packed tokens of any layout: padding ends here.
at::Tensor packed_tokens(const Step& step, std::int64_t count) {
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
  return tokens;
}

void check_ids(const at::Tensor& tokens, std::int64_t vocab) {
  const auto* ids = tokens.const_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < tokens.size(0); ++i) {
    if (ids[i] < 0 || ids[i] >= vocab) {
      throw Error(Code::kData, str("token id ", ids[i],
                                   " is not in the "
                                   "model's vocabulary of ",
                                   vocab));
    }
  }
}

/// Positions, among the packed tokens, whose scores are wanted.
Tokens wanted_positions(const Step& step) {
  Tokens wanted;
  std::int64_t end = 0;
  for (const Slice& slice : step.slices) {
    end += slice.count;
    for (std::int64_t i = end - slice.outs; i < end; ++i) wanted.push_back(i);
  }
  return wanted;
}

void check_size(std::int64_t positions, std::int64_t vocab) {
  const std::int64_t bytes = positions * vocab * 4;
  if (bytes <= kMostScoreBytes) return;
  throw Error(Code::kData,
              str("every score of ", positions, " positions would take ",
                  bytes >> 20, " MiB, more than ", kMostScoreBytes >> 20,
                  "; ask for fewer positions or for the best k"));
}

/// [N, vocab] of packed tokens as [B, T, vocab], zero in the padding.
at::Tensor rectangle(const at::Tensor& logits, const Step& step) {
  if (step.layout == Layout::kPacked) return logits.unsqueeze(0);
  const auto mask =
      get(step.inputs, "attention_mask").to(at::kBool).to(logits.device());
  auto out =
      at::zeros({mask.size(0), mask.size(1), logits.size(1)}, logits.options());
  out.index_put_({mask}, logits);
  return out;
}

/// Scores of two runs of positions as those of one.
void extend(at::Tensor& all, const at::Tensor& more) {
  if (!more.defined()) return;
  all = all.defined() ? at::cat({all, more}) : more;
}

std::string name_of(at::ScalarType dtype) {
  return dtype == at::kBFloat16 ? "bf16" : "fp32";
}

}  // namespace

void GemmaForward::declare(Declaration<GemmaForward>& d) {
  d.doc("Gemma 3 text model of any size, from GGUF")
      .input("tokens: i64[T]")
      .output("scores: f32[R,V]")
      .layouts({Layout::kPacked, Layout::kPadded});
  d.param("dtype", &Params::dtype,
          "auto, fp32 or bf16; auto: bf16 where the device computes in it");
  d.param("cache", &Params::cache,
          "keep keys and values of earlier tokens; false: the textbook loop");
  d.param("logits", &Params::logits,
          "also give every position's scores as logits [batch, seq_len, "
          "vocab]");
  d.check([](const Params& p) -> std::string {
    if (p.dtype == "auto" || p.dtype == "fp32" || p.dtype == "bf16") return "";
    if (p.dtype == "fp16" || p.dtype == "float16" || p.dtype == "half") {
      return "dtype: fp16 cannot hold Gemma 3's activations (they reach 8e5, "
             "fp16 ends at 65504); use bf16 or fp32";
    }
    return "dtype: '" + p.dtype + "' is not known; expected auto, fp32 or bf16";
  });
}

at::ScalarType GemmaForward::dtype(at::Device device) const {
  if (params_.dtype == "fp32") return at::kFloat;
  if (params_.dtype == "bf16" || device.is_cuda()) return at::kBFloat16;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bf16")) return at::kBFloat16;
#endif
  return at::kFloat;
}

std::int64_t GemmaForward::memory(const StageContext& context) const {
  const Config config = read_config(WeightFile::open(context.model));
  return weight_bytes(config, dtype(context.device));
}

void GemmaForward::open(StageContext& context) {
  if (context.model.empty()) {
    throw Error(Code::kNotFound,
                "no model is named; write `model:` into the "
                "pipeline file or pass --set model=...");
  }
  const WeightFile file = WeightFile::open(context.model);
  config_ = read_config(file);
  if (file.has("tokenizer.ggml.tokens")) {
    const auto pieces = file.texts("tokenizer.ggml.tokens").size();
    if (static_cast<std::int64_t>(pieces) != config_->vocab) {
      throw Error(Code::kData,
                  str("the model has ", config_->vocab,
                      " embeddings, its tokenizer ", pieces, " tokens"));
    }
  }
  device_ = context.device;
  const at::ScalarType chosen = dtype(device_);
  model_.emplace(*config_, load_weights(file, *config_, chosen, device_));
  cache_options_ = at::TensorOptions().dtype(chosen).device(device_);
  if (params_.cache) caches_.resize(static_cast<std::size_t>(context.slots));
  context.facts["vocab_size"] = config_->vocab;
  context.facts["context_length"] = config_->context;
  context.facts["eos_ids"] = config_->eos_ids;
  context.facts["dtype"] = name_of(chosen);
}

void GemmaForward::close() noexcept {
  caches_.clear();
  model_.reset();
}

Caps GemmaForward::caps() const {
  const bool is_short = config_->context <= config_->window;
  return {.slots = static_cast<int>(caches_.size()),
          .rollback = is_short ? kAll : kRollback,
          .can_copy = true,
          .can_chunk = params_.cache};
}

void GemmaForward::release(int slot) noexcept {
  caches_[static_cast<std::size_t>(slot)].reset();
}

void GemmaForward::truncate(int slot, std::int64_t length) {
  caches_.at(static_cast<std::size_t>(slot))->truncate(length);
}

void GemmaForward::copy(int from, int to) {
  auto& target = caches_.at(static_cast<std::size_t>(to));
  target = std::make_unique<KvCache>(*config_, kRollback, cache_options_);
  target->copy_from(*caches_.at(static_cast<std::size_t>(from)));
}

std::vector<Part> GemmaForward::parts(const Step& step) {
  std::vector<Part> parts;
  for (const Slice& slice : step.slices) {
    Part part{.begin = slice.begin, .count = slice.count};
    if (params_.cache) {
      auto& cache = caches_.at(static_cast<std::size_t>(slice.row->slot));
      if (!cache) {
        cache = std::make_unique<KvCache>(*config_, kRollback, cache_options_);
      }
      if (cache->length() != slice.begin) {
        throw Error(Code::kInternal,
                    str("the slot holds ", cache->length(),
                        " tokens, the step begins at ", slice.begin));
      }
      part.cache = cache.get();
    }
    parts.push_back(part);
  }
  return parts;
}

Scores GemmaForward::score(const at::Tensor& hidden, const Step& step) const {
  const std::int64_t count = hidden.size(0);
  Scores scores;
  for (std::int64_t at = 0; at < count; at += kScoreBlock) {
    const auto block = hidden.narrow(0, at, std::min(kScoreBlock, count - at));
    const Scores part = fill_scores(model_->logits(block), step, at);
    extend(scores.ids, part.ids);
    extend(scores.values, part.values);
    extend(scores.full, part.full);
    extend(scores.norm, part.norm);
    extend(scores.follow, part.follow);
    extend(scores.at, part.at);
  }
  scores.hidden = hidden.to(at::kFloat);
  return scores;
}

Result GemmaForward::forward(const Step& step) {
  std::int64_t count = 0;
  bool is_full = false;
  for (const Slice& slice : step.slices) {
    count += slice.count;
    is_full |= slice.outs > 0 && slice.row->want.full;
  }
  const auto tokens = packed_tokens(step, count).contiguous();
  check_ids(tokens, config_->vocab);
  if (is_full) check_size(step.outs(), config_->vocab);
  if (params_.logits) check_size(count, config_->vocab);

  Tokens wanted = wanted_positions(step);
  const auto of_interest = at::tensor(wanted, at::kLong).to(device_);
  Result result;
  if (params_.logits) {
    Tokens every(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) {
      every[static_cast<std::size_t>(i)] = i;
    }
    const auto hidden =
        model_->hidden(tokens.to(device_), parts(step),
                       at::tensor(every).to(device_), step.probe);
    result.out.emplace_back("logits", rectangle(model_->logits(hidden), step));
    result.scores = score(hidden.index_select(0, of_interest), step);
  } else {
    const auto hidden = model_->hidden(tokens.to(device_), parts(step),
                                       of_interest, step.probe);
    result.scores = score(hidden, step);
  }
  return result;
}

}  // namespace penstock::gemma
