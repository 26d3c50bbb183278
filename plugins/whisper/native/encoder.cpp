#include "whisper/native/encoder.h"

#include <algorithm>
#include <cmath>

namespace penstock::whisper::native {
namespace {

/// Sets n rows of `columns` numbers, which lie `stride` apart.
void set_rows(ActivationRows& rows, std::int64_t n, std::int64_t columns,
              const float* x, std::int64_t stride) {
  rows.resize(kChunk, columns);
  for (std::int64_t r = 0; r < n; ++r) rows.set(r, x + r * stride);
}

bool are_alike(const float* rows, std::int64_t n, std::int64_t columns) {
  return std::equal(rows, rows + (n - 1) * columns, rows + columns);
}

/// Copies the first row over all n.
void repeat(float* rows, std::int64_t n, std::int64_t columns) {
  for (std::int64_t r = 1; r < n; ++r) {
    std::copy_n(rows, columns, rows + r * columns);
  }
}

/// Norms n rows of x and sets them as the next matrix takes them.
void set_normed(const Norm& norm, const float* x, std::int64_t n,
                std::int64_t dim, ActivationRows& rows,
                std::vector<float>& normed) {
  rows.resize(kChunk, dim);
  for (std::int64_t r = 0; r < n; ++r) {
    kernels::best().layer_norm(x + r * dim, norm.weight.data(),
                               norm.bias.data(), dim, kEpsilon, normed.data());
    rows.set(r, normed.data());
  }
}

}  // namespace

void Encoder::reserve(std::int64_t windows) {
  const Config& c = w_.config;
  const std::size_t numbers = size(windows * c.positions * c.dim);
  if (states_.size() < numbers) {
    states_.resize(numbers);
    queries_.resize(numbers);
  }
  while (even_.size() < size(windows)) {
    even_.emplace_back(c, w_.kind);
    odd_.emplace_back(c, w_.kind);
  }
  while (scratch_.size() < size(threads())) {
    scratch_.emplace_back(c, w_.kind);
  }
  const std::int64_t frame = w_.conv1.matrix.panels().columns;
  for (Scratch& s : scratch_) {
    s.frames.resize(size((2 * kChunk + 3) * c.mels));
    s.convolved.resize(size((2 * kChunk + 1) * c.dim));
    s.wide.resize(size(kChunk * std::max(3 * c.dim, c.ffn)));
    s.normed.resize(size(std::max(frame, c.dim)));
    s.mixed.resize(size(kChunk * c.dim));
    s.rows.resize(2 * kChunk + 1, std::max({frame, 3 * c.dim, c.ffn}));
  }
}

Encoder::Chunk Encoder::chunk(std::int64_t item) const {
  const std::int64_t all = chunks(w_.config);
  const std::int64_t begin = item % all * kChunk;
  return {.window = item / all,
          .index = item % all,
          .begin = begin,
          .count = std::min(kChunk, w_.config.positions - begin)};
}

/// Copies frames of the window: row i is frame 2 begin - 2 + i, 0 outside.
void Encoder::set_frames(const float* window, const Chunk& chunk,
                         std::int64_t rows, Scratch& mine) const {
  const Config& c = w_.config;
  const std::int64_t frames = c.window();
  std::fill(mine.frames.begin(), mine.frames.end(), 0.0F);
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t frame = 2 * chunk.begin - 2 + i;
    if (frame < 0 || frame >= frames) continue;
    for (std::int64_t m = 0; m < c.mels; ++m) {
      mine.frames[size(i * c.mels + m)] = window[m * frames + frame];
    }
  }
}

/// The two convolutions, as products with rows of three neighbouring frames:
/// row i of `convolved` is frame 2 begin - 1 + i.
void Encoder::convolve(const float* window, const Chunk& chunk, Scratch& mine) {
  const Config& c = w_.config;
  const std::int64_t rows = 2 * chunk.count + 1;
  set_frames(window, chunk, rows + 2, mine);
  // In silence behind the sound all frames are alike, so one row is computed
  // and copied.
  const bool is_still =
      chunk.begin > 0 && are_alike(mine.frames.data(), rows + 2, c.mels);
  const std::int64_t taps = 3 * c.mels;
  std::vector<float>& three = mine.normed;
  std::fill(three.begin(), three.end(), 0.0F);
  mine.rows.resize(2 * kChunk + 1, w_.conv1.matrix.panels().columns);
  const std::int64_t first = is_still ? 1 : rows;
  for (std::int64_t i = 0; i < first; ++i) {
    std::copy_n(mine.frames.data() + i * c.mels, taps, three.data());
    mine.rows.set(i, three.data());
  }
  project(w_.conv1, mine.rows, first, mine.convolved.data());
  kernels::best().gelu(mine.convolved.data(), first * c.dim);
  if (chunk.begin == 0) std::fill_n(mine.convolved.data(), c.dim, 0.0F);
  if (is_still) repeat(mine.convolved.data(), 3, c.dim);

  const std::int64_t second = is_still ? 1 : chunk.count;
  set_rows(mine.rows, second, 3 * c.dim, mine.convolved.data(), 2 * c.dim);
  float* x = state(chunk);
  project(w_.conv2, mine.rows, second, x);
  kernels::best().gelu(x, second * c.dim);
  if (is_still) repeat(x, chunk.count, c.dim);
  add(w_.encoder_positions.data() + chunk.begin * c.dim, chunk.count * c.dim,
      x);
}

/// Computes the queries, and stores the keys and values, of a layer.
void Encoder::store_kv(std::size_t layer, const Chunk& chunk, Scratch& mine) {
  const Config& c = w_.config;
  const Layer& w = w_.encoder[layer];
  set_normed(w.attention_norm, state(chunk), chunk.count, c.dim, mine.rows,
             mine.normed);
  project(w.qkv, mine.rows, chunk.count, mine.wide.data());
  const float scale = 1 / std::sqrt(static_cast<float>(kHead));
  float* queries = queries_.data() + place(chunk);
  for (std::int64_t r = 0; r < chunk.count; ++r) {
    for (std::int64_t i = 0; i < c.dim; ++i) {
      queries[r * c.dim + i] = mine.wide[size(r * 3 * c.dim + i)] * scale;
    }
  }
  sound(layer, chunk)
      .set(chunk.index, chunk.count, mine.wide.data() + c.dim,
           mine.wide.data() + 2 * c.dim, 3 * c.dim);
}

void Encoder::run_layer(std::size_t layer, const Chunk& chunk, Scratch& mine) {
  const Config& c = w_.config;
  const Layer& w = w_.encoder[layer];
  const std::int64_t n = chunk.count;
  const float* queries = queries_.data() + place(chunk);
  for (std::int64_t h = 0; h < c.heads; ++h) {
    sound(layer, chunk)
        .attend(h, n, queries + h * kHead, c.dim, mine.mixed.data() + h * kHead,
                mine.attention);
  }
  set_rows(mine.rows, n, c.dim, mine.mixed.data(), c.dim);
  float* x = state(chunk);
  project(w.attention_out, mine.rows, n, mine.wide.data());
  add(mine.wide.data(), n * c.dim, x);

  set_normed(w.ffn_norm, x, n, c.dim, mine.rows, mine.normed);
  project(w.up, mine.rows, n, mine.wide.data());
  kernels::best().gelu(mine.wide.data(), n * c.ffn);
  set_rows(mine.rows, n, c.ffn, mine.wide.data(), c.ffn);
  project(w.down, mine.rows, n, mine.mixed.data());
  add(mine.mixed.data(), n * c.dim, x);
}

/// Norms the encoder's output and stores its keys and values for each layer of
/// the decoder.
void Encoder::finish(const Chunk& chunk, std::vector<WindowKv>& to,
                     Scratch& mine) {
  const Config& c = w_.config;
  set_normed(w_.encoder_norm, state(chunk), chunk.count, c.dim, mine.rows,
             mine.normed);
  for (std::size_t i = 0; i < w_.decoder.size(); ++i) {
    project(w_.decoder[i].window_kv, mine.rows, chunk.count, mine.wide.data());
    to[i].set(chunk.index, chunk.count, mine.wide.data(),
              mine.wide.data() + c.dim, 2 * c.dim);
  }
}

void Encoder::run(const std::vector<const float*>& windows,
                  const std::vector<std::vector<WindowKv>*>& to) {
  const auto count = static_cast<std::int64_t>(windows.size());
  reserve(count);
  const std::int64_t items = count * chunks(w_.config);
  parallel_region([&](int thread, Team& team) {
    Scratch& mine = scratch_[size(thread)];
    const Share own(items, thread, team.size());
    for (std::int64_t i = own.begin; i < own.end; ++i) {
      convolve(windows[size(chunk(i).window)], chunk(i), mine);
      store_kv(0, chunk(i), mine);
    }
    for (std::size_t layer = 0; layer < w_.encoder.size(); ++layer) {
      team.barrier();
      const bool is_last = layer + 1 == w_.encoder.size();
      for (std::int64_t i = own.begin; i < own.end; ++i) {
        run_layer(layer, chunk(i), mine);
        if (!is_last) {
          store_kv(layer + 1, chunk(i), mine);
        } else {
          finish(chunk(i), *to[size(chunk(i).window)], mine);
        }
      }
    }
  });
}

std::vector<float> Encoder::encode(const float* window) {
  std::vector<WindowKv> ignored;
  while (ignored.size() < w_.decoder.size()) {
    ignored.emplace_back(w_.config, w_.kind);
  }
  run({window}, {&ignored});
  const Config& c = w_.config;
  std::vector<float> out(size(c.positions * c.dim));
  for (std::int64_t r = 0; r < c.positions; ++r) {
    kernels::best().layer_norm(
        states_.data() + r * c.dim, w_.encoder_norm.weight.data(),
        w_.encoder_norm.bias.data(), c.dim, kEpsilon, out.data() + r * c.dim);
  }
  return out;
}

}  // namespace penstock::whisper::native
