#include "whisper/native/decoder.h"

#include <cmath>
#include <limits>

namespace penstock::whisper::native {

TextState::TextState(const Config& config, PackedType kind)
    : heads_(config.heads),
      context_(config.context),
      cache_(size(2 * config.decoder_layers * config.dim * config.context)) {
  for (std::int64_t i = 0; i < config.decoder_layers; ++i) {
    cross_kv.emplace_back(config, kind);
  }
}

std::int64_t TextState::bytes(const Config& c, PackedType kind) {
  return c.decoder_layers *
         (WindowKv::bytes(c, kind) + 2 * c.dim * c.context * 4);
}

float* TextState::keys(std::size_t layer, std::int64_t head) {
  const std::int64_t index = 2 * static_cast<std::int64_t>(layer) * heads_;
  return cache_.data() + (index + head) * context_ * kHead;
}

float* TextState::values(std::size_t layer, std::int64_t head) {
  return keys(layer, head + heads_);
}

void Decoder::reserve() {
  const Config& c = w_.config;
  const auto rows = static_cast<std::int64_t>(rows_.size());
  if (x_.size() < size(rows * c.dim)) {
    x_.resize(size(rows * c.dim));
    mixed_.resize(x_.size());
    wide_.resize(size(rows * std::max(3 * c.dim, c.ffn)));
  }
  narrow_.resize(rows, c.dim);
  long_.resize(rows, c.ffn);
  while (scratch_.size() < size(threads())) {
    scratch_.emplace_back(c, w_.kind);
  }
  for (Scratch& s : scratch_) {
    s.normed.resize(size(c.dim));
    s.scores.resize(size(c.context + kernels::kPanel));
  }
}

void Decoder::embed(std::span<const SequenceChunk> parts, std::int64_t row) {
  const std::int64_t dim = w_.config.dim;
  const StepToken& of = rows_[size(row)];
  const std::int64_t token =
      parts[of.part].tokens[size(row - starts_[of.part])];
  float* x = x_.data() + row * dim;
  w_.embeddings.read(token, {x, size(dim)});
  add(w_.decoder_positions.data() + of.position * dim, dim, x);
}

void Decoder::set_normed(const Norm& norm, std::int64_t row, Scratch& mine) {
  const std::int64_t dim = w_.config.dim;
  kernels::best().layer_norm(x_.data() + row * dim, norm.weight.data(),
                             norm.bias.data(), dim, kEpsilon,
                             mine.normed.data());
  narrow_.set(row, mine.normed.data());
}

/// This thread's columns of y = rows by the matrix, without the bias.
void Decoder::share_product(const Linear& linear, float* y, int thread,
                            int threads) {
  const kernels::Panels& matrix = linear.matrix.panels();
  const Share own(matrix.panels(), thread, threads);
  ActivationRows& rows = matrix.columns == w_.config.dim ? narrow_ : long_;
  rows.multiply(matrix, own.begin, own.end,
                static_cast<std::int64_t>(rows_.size()), y);
}

/// Adds the bias to the queries, keys and values of a token, and stores the
/// latter two.
void Decoder::store(std::span<const SequenceChunk> parts, std::size_t layer,
                    std::int64_t row) {
  const Config& c = w_.config;
  float* qkv = wide_.data() + row * 3 * c.dim;
  add(w_.decoder[layer].qkv.bias.data(), 3 * c.dim, qkv);
  const StepToken& of = rows_[size(row)];
  TextState& text = *parts[of.part].text;
  for (std::int64_t h = 0; h < c.heads; ++h) {
    const float* key = qkv + c.dim + h * kHead;
    std::copy_n(key, kHead, text.keys(layer, h) + of.position * kHead);
    std::copy_n(key + c.dim, kHead,
                text.values(layer, h) + of.position * kHead);
  }
}

/// Attention of a token over its text up to itself.
void Decoder::attend_text(std::span<const SequenceChunk> parts,
                          std::size_t layer, std::int64_t row,
                          std::int64_t head, Scratch& mine) {
  const kernels::Kernels& kernels = kernels::best();
  const Config& c = w_.config;
  const StepToken& of = rows_[size(row)];
  const float* query = wide_.data() + row * 3 * c.dim + head * kHead;
  const float* keys = parts[of.part].text->keys(layer, head);
  const float* values = parts[of.part].text->values(layer, head);
  const std::int64_t count = of.position + 1;
  float largest = -std::numeric_limits<float>::infinity();
  for (std::int64_t t = 0; t < count; ++t) {
    float& score = mine.scores[size(t)];
    score = kernels.dot(query, keys + t * kHead, kHead) /
            std::sqrt(static_cast<float>(kHead));
    largest = std::max(largest, score);
  }
  float* out = mixed_.data() + row * c.dim + head * kHead;
  std::fill_n(out, kHead, 0.0F);
  float sum = 0;
  for (std::int64_t t = 0; t < count; ++t) {
    const float weight = std::exp(mine.scores[size(t)] - largest);
    kernels.scale_add(out, 1, values + t * kHead, weight, kHead);
    sum += weight;
  }
  for (std::int64_t d = 0; d < kHead; ++d) out[d] /= sum;
}

/// Attention of a text's new tokens over its window.
void Decoder::attend_cross(std::span<const SequenceChunk> parts,
                           std::size_t layer, std::size_t part,
                           std::int64_t head, Scratch& mine) {
  const std::int64_t dim = w_.config.dim;
  const auto count = static_cast<std::int64_t>(parts[part].tokens.size());
  const float scale = 1 / std::sqrt(static_cast<float>(kHead));
  const std::int64_t at = starts_[part] * dim + head * kHead;
  const float* bias = w_.decoder[layer].window_q.bias.data() + head * kHead;
  // In place: each head of each text has its own numbers.
  float* queries = wide_.data() + at;
  for (std::int64_t r = 0; r < count; ++r) {
    for (std::int64_t d = 0; d < kHead; ++d) {
      float& number = queries[r * dim + d];
      number = (number + bias[d]) * scale;
    }
  }
  parts[part].text->cross_kv[layer].attend(head, count, queries, dim,
                                           mixed_.data() + at, mine.attention);
}

void Decoder::run_layer(std::span<const SequenceChunk> parts, std::size_t layer,
                        int thread, Team& team) {
  const Config& c = w_.config;
  const Layer& w = w_.decoder[layer];
  Scratch& mine = scratch_[size(thread)];
  const auto count = static_cast<std::int64_t>(rows_.size());
  const Share rows(count, thread, team.size());
  const auto product = [&](const Linear& linear) {
    team.barrier();
    share_product(linear, wide_.data(), thread, team.size());
    team.barrier();
  };
  /// x += the product and its bias, then what comes before the next.
  const auto add_product = [&](const Linear& linear, const Norm* next) {
    product(linear);
    for (std::int64_t r = rows.begin; r < rows.end; ++r) {
      float* x = x_.data() + r * c.dim;
      add(wide_.data() + r * c.dim, c.dim, x);
      add(linear.bias.data(), c.dim, x);
      if (next != nullptr) set_normed(*next, r, mine);
    }
  };
  const auto set_mixed = [&] {
    team.barrier();
    for (std::int64_t r = rows.begin; r < rows.end; ++r) {
      narrow_.set(r, mixed_.data() + r * c.dim);
    }
  };

  for (std::int64_t r = rows.begin; r < rows.end; ++r) {
    set_normed(w.attention_norm, r, mine);
  }
  product(w.qkv);
  for (std::int64_t r = rows.begin; r < rows.end; ++r) store(parts, layer, r);
  team.barrier();
  const Share items(count * c.heads, thread, team.size());
  for (std::int64_t i = items.begin; i < items.end; ++i) {
    attend_text(parts, layer, i / c.heads, i % c.heads, mine);
  }
  set_mixed();
  add_product(w.attention_out, &w.window_norm);

  product(w.window_q);
  const Share heads(static_cast<std::int64_t>(parts.size()) * c.heads, thread,
                    team.size());
  for (std::int64_t i = heads.begin; i < heads.end; ++i) {
    attend_cross(parts, layer, size(i / c.heads), i % c.heads, mine);
  }
  set_mixed();
  add_product(w.window_out, &w.ffn_norm);

  product(w.up);
  for (std::int64_t r = rows.begin; r < rows.end; ++r) {
    float* up = wide_.data() + r * c.ffn;
    add(w.up.bias.data(), c.ffn, up);
    kernels::best().gelu(up, c.ffn);
    long_.set(r, up);
  }
  add_product(w.down, nullptr);
}

const float* Decoder::run(std::span<const SequenceChunk> parts,
                          std::span<const std::int64_t> wanted) {
  rows_.clear();
  starts_.clear();
  for (std::size_t p = 0; p < parts.size(); ++p) {
    starts_.push_back(static_cast<std::int64_t>(rows_.size()));
    for (std::size_t t = 0; t < parts[p].tokens.size(); ++t) {
      rows_.push_back(
          {p, parts[p].text->length + static_cast<std::int64_t>(t)});
    }
  }
  reserve();
  const auto count = static_cast<std::int64_t>(wanted.size());
  scores_.resize(std::max(scores_.size(), size(count * stride())));
  parallel_region([&](int thread, Team& team) {
    const Share rows(static_cast<std::int64_t>(rows_.size()), thread,
                     team.size());
    for (std::int64_t r = rows.begin; r < rows.end; ++r) embed(parts, r);
    for (std::size_t i = 0; i < w_.decoder.size(); ++i) {
      run_layer(parts, i, thread, team);
    }
    team.barrier();
    if (thread == 0) {  // in place: a wanted token is never before its target
      for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t dim = w_.config.dim;
        std::copy_n(x_.data() + wanted[size(i)] * dim, dim,
                    x_.data() + i * dim);
        set_normed(w_.decoder_norm, i, scratch_[0]);
      }
    }
    team.barrier();
    const kernels::Panels& head = w_.embeddings.panels();
    const Share own(head.panels(), thread, team.size());
    narrow_.multiply(head, own.begin, own.end, count, scores_.data());
  });
  for (const SequenceChunk& part : parts) {
    part.text->length += static_cast<std::int64_t>(part.tokens.size());
  }
  return scores_.data();
}

}  // namespace penstock::whisper::native
