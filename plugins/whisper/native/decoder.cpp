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

void Decoder::embed(std::span<const SequenceChunk> chunks, std::int64_t row) {
  const std::int64_t dim = w_.config.dim;
  const StepToken& of = rows_[size(row)];
  const std::int64_t token =
      chunks[of.chunk].tokens[size(row - starts_[of.chunk])];
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
void Decoder::store(std::span<const SequenceChunk> chunks, std::size_t layer,
                    std::int64_t row) {
  const Config& c = w_.config;
  float* qkv = wide_.data() + row * 3 * c.dim;
  add(w_.decoder[layer].qkv.bias.data(), 3 * c.dim, qkv);
  const StepToken& of = rows_[size(row)];
  TextState& text = *chunks[of.chunk].text;
  for (std::int64_t h = 0; h < c.heads; ++h) {
    const float* key = qkv + c.dim + h * kHead;
    std::copy_n(key, kHead, text.keys(layer, h) + of.position * kHead);
    std::copy_n(key + c.dim, kHead,
                text.values(layer, h) + of.position * kHead);
  }
}

/// Attention of a token over its text up to itself.
void Decoder::attend_text(std::span<const SequenceChunk> chunks,
                          std::size_t layer, std::int64_t row,
                          std::int64_t head, Scratch& mine) {
  const kernels::Kernels& kernels = kernels::best();
  const Config& c = w_.config;
  const StepToken& of = rows_[size(row)];
  const float* query = wide_.data() + row * 3 * c.dim + head * kHead;
  const float* keys = chunks[of.chunk].text->keys(layer, head);
  const float* values = chunks[of.chunk].text->values(layer, head);
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
void Decoder::attend_cross(std::span<const SequenceChunk> chunks,
                           std::size_t layer, std::size_t chunk,
                           std::int64_t head, Scratch& mine) {
  const std::int64_t dim = w_.config.dim;
  const auto count = static_cast<std::int64_t>(chunks[chunk].tokens.size());
  const float scale = 1 / std::sqrt(static_cast<float>(kHead));
  const std::int64_t at = starts_[chunk] * dim + head * kHead;
  const float* bias = w_.decoder[layer].window_q.bias.data() + head * kHead;
  // In place: each head of each text has its own numbers.
  float* queries = wide_.data() + at;
  for (std::int64_t r = 0; r < count; ++r) {
    for (std::int64_t d = 0; d < kHead; ++d) {
      float& number = queries[r * dim + d];
      number = (number + bias[d]) * scale;
    }
  }
  chunks[chunk].text->cross_kv[layer].attend(
      head, count, queries, dim, mixed_.data() + at, mine.attention);
}

/// wide_ = rows by the matrix, without the bias, on all threads.
void Decoder::product(const Linear& linear, Worker& me) {
  me.team.barrier();
  share_product(linear, wide_.data(), me.thread, me.team.size());
  me.team.barrier();
}

/// x_ += rows by the matrix and its bias, then the next product's norm.
void Decoder::add_product(const Linear& linear, const Norm* next, Worker& me) {
  const std::int64_t dim = w_.config.dim;
  product(linear, me);
  for (std::int64_t r = me.rows.begin; r < me.rows.end; ++r) {
    float* x = x_.data() + r * dim;
    add(wide_.data() + r * dim, dim, x);
    add(linear.bias.data(), dim, x);
    if (next != nullptr) set_normed(*next, r, me.scratch);
  }
}

/// Sets what attention gave for the next product.
void Decoder::set_mixed(Worker& me) {
  me.team.barrier();
  for (std::int64_t r = me.rows.begin; r < me.rows.end; ++r) {
    narrow_.set(r, mixed_.data() + r * w_.config.dim);
  }
}

void Decoder::run_layer(std::span<const SequenceChunk> chunks,
                        std::size_t layer, Worker& me) {
  const Config& c = w_.config;
  const Layer& w = w_.decoder[layer];
  const Share& rows = me.rows;
  for (std::int64_t r = rows.begin; r < rows.end; ++r) {
    set_normed(w.attention_norm, r, me.scratch);
  }
  product(w.qkv, me);
  for (std::int64_t r = rows.begin; r < rows.end; ++r) store(chunks, layer, r);
  me.team.barrier();
  const Share items = me.share(std::ssize(rows_) * c.heads);
  for (std::int64_t i = items.begin; i < items.end; ++i) {
    attend_text(chunks, layer, i / c.heads, i % c.heads, me.scratch);
  }
  set_mixed(me);
  add_product(w.attention_out, &w.window_norm, me);

  product(w.window_q, me);
  const Share heads = me.share(std::ssize(chunks) * c.heads);
  for (std::int64_t i = heads.begin; i < heads.end; ++i) {
    attend_cross(chunks, layer, size(i / c.heads), i % c.heads, me.scratch);
  }
  set_mixed(me);
  add_product(w.window_out, &w.ffn_norm, me);

  product(w.up, me);
  for (std::int64_t r = rows.begin; r < rows.end; ++r) {
    float* up = wide_.data() + r * c.ffn;
    add(w.up.bias.data(), c.ffn, up);
    kernels::best().gelu(up, c.ffn);
    long_.set(r, up);
  }
  add_product(w.down, nullptr, me);
}

/// Scores the wanted tokens of x_, whose norms take the front rows.
void Decoder::score(std::span<const std::int64_t> wanted, Worker& me) {
  const std::int64_t dim = w_.config.dim;
  me.team.barrier();
  if (me.thread == 0) {  // in place: a wanted token is never before its target
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      std::copy_n(x_.data() + wanted[i] * dim, dim, x_.data() + row * dim);
      set_normed(w_.decoder_norm, row, me.scratch);
    }
  }
  me.team.barrier();
  const kernels::Panels& head = w_.embeddings.panels();
  const Share own = me.share(head.panels());
  narrow_.multiply(head, own.begin, own.end, std::ssize(wanted),
                   scores_.data());
}

const float* Decoder::run(std::span<const SequenceChunk> chunks,
                          std::span<const std::int64_t> wanted) {
  rows_.clear();
  starts_.clear();
  for (std::size_t p = 0; p < chunks.size(); ++p) {
    starts_.push_back(static_cast<std::int64_t>(rows_.size()));
    for (std::size_t t = 0; t < chunks[p].tokens.size(); ++t) {
      rows_.push_back(
          {p, chunks[p].text->length + static_cast<std::int64_t>(t)});
    }
  }
  reserve();
  scores_.resize(std::max(scores_.size(), wanted.size() * size(stride())));
  parallel_region([&](int thread, Team& team) {
    Worker me{.team = team,
              .scratch = scratch_[size(thread)],
              .thread = thread,
              .rows = Share(std::ssize(rows_), thread, team.size())};
    for (std::int64_t r = me.rows.begin; r < me.rows.end; ++r) embed(chunks, r);
    for (std::size_t i = 0; i < w_.decoder.size(); ++i) {
      run_layer(chunks, i, me);
    }
    score(wanted, me);
  });
  for (const SequenceChunk& chunk : chunks) {
    chunk.text->length += static_cast<std::int64_t>(chunk.tokens.size());
  }
  return scores_.data();
}

}  // namespace penstock::whisper::native
