#include "gemma/native/model.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "gemma/native/attention.h"
#include "gemma/rope.h"
#include "lib/kernels/size.h"

namespace penstock::gemma::native {
namespace {

using kernels::Int8Block;
using kernels::Share;

/// Tokens of a tile of queries: few enough to stay in the cache, enough to use
/// each key several times.
constexpr std::int64_t kTileTokens = 16;

using kernels::size;

}  // namespace

struct Model::Tile {
  std::size_t chunk;
  std::int64_t token;  ///< first of the tile, among the chunk's
  std::int64_t count;
  std::int64_t row;  ///< of the first, among the step's
};

struct Model::Step {
  std::span<const SequenceChunk> chunks;
  std::span<const std::int64_t> wanted;
  std::int64_t rows = 0;
  std::vector<std::int64_t> positions, tokens;  ///< by token of the step
  std::vector<std::size_t> chunk_of;            ///< by token of the step
  std::vector<Tile> tiles, wanted_tiles;
};

/// Activations in the form that the compute type multiplies with.
struct Model::Prepared {
  Activations act;

  void reserve(ComputeType mode, std::int64_t numbers) {
    if (mode == ComputeType::kInt8) int8_.resize(size(numbers / kBlock));
    if (mode == ComputeType::kBf16) bf16_.resize(size(numbers));
    if (mode == ComputeType::kF32) f32_.resize(size(numbers));
    act.int8 = int8_.data();
    act.bf16 = bf16_.data();
    act.f32 = f32_.data();
  }
  [[nodiscard]] static std::int64_t bytes(ComputeType mode,
                                          std::int64_t numbers) {
    if (mode == ComputeType::kF32) return numbers * 4;
    if (mode == ComputeType::kBf16) return numbers * 2;
    return numbers / kBlock * static_cast<std::int64_t>(sizeof(Int8Block));
  }
  /// Sets `count` numbers from number `at` on.
  void set(const Kernels& kernels, ComputeType mode, const float* x,
           std::int64_t count, std::int64_t at) {
    switch (mode) {
      case ComputeType::kInt8:
        return kernels.quantise(x, count, int8_.data() + at / kBlock);
      case ComputeType::kBf16:
        return kernels.to_bf16(x, count, bf16_.data() + at);
      case ComputeType::kF32:
        std::copy_n(x, count, f32_.data() + at);
    }
  }

 private:
  std::vector<Int8Block> int8_;
  std::vector<std::uint16_t> bf16_;
  std::vector<float> f32_;
};

/// Memory of one thread.
struct Model::ThreadScratch {
  explicit ThreadScratch(PageAttention own) : attention(std::move(own)) {}
  PageAttention attention;
  PartialAttention page, all;
  std::vector<const float*> rows;
  std::vector<float> gate, up;  ///< [rows, kBlock]
};

/// Memory shared by all steps; grows to the largest.
struct Model::Scratch {
  std::int64_t rows = 0;
  std::vector<float> x, last, normed, q, k, v, mixed, y;
  std::vector<float> cos, sin, local_cos, local_sin;  ///< [rows, head_dim / 2]
  Prepared input, gated;  ///< of the next product; of the one behind gate

  std::vector<ThreadScratch> threads;
  std::vector<PartialAttention> partial;  ///< by item and page, of long decodes

  void reserve(const Config& c, ComputeType mode, std::int64_t wanted) {
    if (wanted <= rows) return;
    rows = wanted;
    const std::int64_t q_size = c.heads * c.head_dim;
    const std::int64_t kv_size = c.kv_heads * c.head_dim;
    for (auto* v_h : {&x, &last, &normed, &y})
      v_h->resize(size(rows * c.hidden));
    q.resize(size(rows * q_size));
    mixed.resize(size(rows * q_size));
    k.resize(size(rows * kv_size));
    v.resize(size(rows * kv_size));
    for (auto* table : {&cos, &sin, &local_cos, &local_sin}) {
      table->resize(size(rows * c.head_dim / 2));
    }
    input.reserve(mode, rows * std::max(c.hidden, q_size));
    gated.reserve(mode, rows * c.ffn);
  }
};

bool Model::can_run(const Config& c) {
  return c.hidden % kBlock == 0 && c.ffn % kBlock == 0 &&
         c.head_dim % kPanel == 0 && c.heads * c.head_dim % kBlock == 0 &&
         c.head_dim <= 1024;
}

std::int64_t Model::step_bytes(const Config& c, ComputeType mode,
                               std::int64_t rows) {
  // The sizes that Scratch::reserve() and gate() allocate.
  const std::int64_t q = c.heads * c.head_dim;
  const std::int64_t kv = c.kv_heads * c.head_dim;
  const std::int64_t floats = 4 * c.hidden + 2 * q + 2 * kv + 2 * c.head_dim;
  const std::int64_t prepared = std::max(c.hidden, q) + c.ffn;
  return rows * (4 * (floats + 2 * kBlock * threads()) +
                 Prepared::bytes(mode, prepared));
}

Model::Model(const Checkpoint& model, ComputeType mode, KvType kv_type)
    : config_(model.config()),
      kernels_(kernels::best()),
      mode_(mode),
      kv_type_(kv_type),
      embedding_(model.at("token_embd", {config_.vocab, config_.hidden})),
      layers_(pack_layers(model, mode, kv_type)),
      norm_(model.norm("output_norm", config_.hidden)),
      frequencies_(
          rope_frequencies(config_, config_.rope_base, config_.rope_scale)),
      local_frequencies_(rope_frequencies(config_, config_.rope_base_local, 1)),
      scratch_(std::make_unique<Scratch>()) {}

Model::~Model() = default;

void Model::embed(const Step& step, std::int64_t row) const {
  Scratch& s = *scratch_;
  const std::int64_t token = step.tokens[size(row)];
  float* x = s.x.data() + row * config_.hidden;
  dequantize(embedding_, token, token + 1, {x, size(config_.hidden)});
  const auto factor =
      static_cast<float>(std::sqrt(static_cast<double>(config_.hidden)));
  for (std::int64_t i = 0; i < config_.hidden; ++i) x[i] *= factor;
  const auto position = static_cast<float>(step.positions[size(row)]);
  const std::int64_t half = config_.head_dim / 2;
  for (std::int64_t i = 0; i < half; ++i) {
    const float angle = position * frequencies_[size(i)];
    const float local = position * local_frequencies_[size(i)];
    s.cos[size(row * half + i)] = std::cos(angle);
    s.sin[size(row * half + i)] = std::sin(angle);
    s.local_cos[size(row * half + i)] = std::cos(local);
    s.local_sin[size(row * half + i)] = std::sin(local);
  }
}

/// Sets n numbers of a token for the next product.
void Model::prepare(const float* x, std::int64_t n, std::int64_t row) const {
  scratch_->input.set(kernels_, mode_, x, n, row * n);
}

void Model::project(std::initializer_list<Product> products, const Prepared& x,
                    std::int64_t rows, int thread, int threads) const {
  std::int64_t total = 0;
  for (const Product& p : products) total += p.matrix->panels().panels();
  const Share mine(total, thread, threads);
  std::int64_t at = 0;
  for (const Product& p : products) {
    const Panels& panels = p.matrix->panels();
    const std::int64_t first = std::max(mine.begin - at, std::int64_t{0});
    const std::int64_t last = std::min(mine.end - at, panels.panels());
    if (first < last) {
      kernels_.matmul[static_cast<int>(panels.kind)](panels, first, last, x.act,
                                                     rows, p.out, panels.rows);
    }
    at += panels.panels();
  }
}

/// Computes gelu(gate) * up for the last product, a block of columns at a time,
/// which stays in the cache.
void Model::gate(const Layer& w, std::int64_t rows, int thread,
                 int threads) const {
  Scratch& s = *scratch_;
  ThreadScratch& mine = s.threads[static_cast<std::size_t>(thread)];
  for (auto* own : {&mine.gate, &mine.up}) {
    own->resize(std::max(own->size(), size(rows * kBlock)));
  }
  constexpr std::int64_t kPanels = kBlock / kPanel;
  const auto multiply = [&](const PackedMatrix& matrix, std::int64_t block,
                            float* to) {
    const Panels& panels = matrix.panels();
    kernels_.matmul[static_cast<int>(panels.kind)](
        panels, block * kPanels, (block + 1) * kPanels, s.input.act, rows,
        to - block * kBlock, kBlock);
  };
  const Share blocks(config_.ffn / kBlock, thread, threads);
  for (std::int64_t b = blocks.begin; b < blocks.end; ++b) {
    multiply(w.gate, b, mine.gate.data());
    multiply(w.up, b, mine.up.data());
    kernels_.gelu_mul(mine.gate.data(), mine.up.data(), rows * kBlock,
                      mine.gate.data());
    for (std::int64_t r = 0; r < rows; ++r) {
      s.gated.set(kernels_, mode_, mine.gate.data() + r * kBlock, kBlock,
                  r * config_.ffn + b * kBlock);
    }
  }
}

/// Norms and rotates the queries and keys of a token, and
/// stores its key and value.
void Model::place(const Step& step, std::int64_t index,
                  std::int64_t row) const {
  Scratch& s = *scratch_;
  const Layer& w = layers_[size(index)];
  const std::int64_t dim = config_.head_dim;
  const bool is_local = config_.is_sliding(index);
  const float* cos = (is_local ? s.local_cos : s.cos).data() + row * dim / 2;
  const float* sin = (is_local ? s.local_sin : s.sin).data() + row * dim / 2;
  for (std::int64_t h = 0; h < config_.heads; ++h) {
    float* q = s.q.data() + (row * config_.heads + h) * dim;
    kernels_.norm(q, w.q_norm.data(), dim, epsilon(), q);
    kernels_.rope(q, cos, sin, dim);
  }
  const std::int64_t position = step.positions[size(row)];
  KvPages& cache = *step.chunks[step.chunk_of[size(row)]].cache;
  Page& page = cache.page(index, position / kPage);
  for (std::int64_t h = 0; h < config_.kv_heads; ++h) {
    float* k = s.k.data() + (row * config_.kv_heads + h) * dim;
    kernels_.norm(k, w.k_norm.data(), dim, epsilon(), k);
    kernels_.rope(k, cos, sin, dim);
    page.write(position % kPage, h, k,
               s.v.data() + (row * config_.kv_heads + h) * dim);
  }
}

void Model::set_queries(const Tile& tile, std::int64_t kv_head,
                        ThreadScratch& mine) const {
  const std::int64_t group = config_.heads / config_.kv_heads;
  mine.rows.clear();
  for (std::int64_t t = 0; t < tile.count; ++t) {
    for (std::int64_t g = 0; g < group; ++g) {
      const std::int64_t head =
          (tile.row + t) * config_.heads + kv_head * group + g;
      mine.rows.push_back(scratch_->q.data() + head * config_.head_dim);
    }
  }
  mine.attention.set_queries(mine.rows.data(),
                             static_cast<std::int64_t>(mine.rows.size()));
}

Queries Model::queries(const Step& step, const Tile& tile,
                       std::int64_t layer) const {
  return {.begin = step.chunks[tile.chunk].begin + tile.token,
          .tokens = tile.count,
          .group = config_.heads / config_.kv_heads,
          .window = config_.is_sliding(layer) ? config_.window : 0};
}

/// Divides attention by its sums and writes it where the
/// output projection reads.
void Model::finish(const Tile& tile, std::int64_t kv_head,
                   const PartialAttention& answers) const {
  const std::int64_t dim = config_.head_dim;
  const std::int64_t group = config_.heads / config_.kv_heads;
  for (std::int64_t r = 0; r < tile.count * group; ++r) {
    const std::int64_t head =
        (tile.row + r / group) * config_.heads + kv_head * group + r % group;
    float* out = scratch_->mixed.data() + head * dim;
    std::fill_n(out, dim, 0.0F);
    kernels_.scale_add(out, 0, answers.out.data() + r * dim,
                       1 / answers.sums[size(r)], dim);
  }
}

std::int64_t Model::pages(const Step& step, const Tile& tile,
                          std::int64_t layer) const {
  const Queries q = queries(step, tile, layer);
  return q.end_page() - q.first_page();
}

/// Attention of a tile over one of its pages.
void Model::attend_page(const Step& step, std::int64_t layer, const Tile& tile,
                        std::int64_t kv_head, std::int64_t page,
                        ThreadScratch& mine, PartialAttention& to) const {
  const Queries q = queries(step, tile, layer);
  to.resize(q.rows(), config_.head_dim);
  mine.attention.over(step.chunks[tile.chunk].cache->page(layer, page), page,
                      kv_head, q, to);
}

/// Attention of a tile over all of its pages.
void Model::attend_tile(const Step& step, std::int64_t layer, const Tile& tile,
                        std::int64_t kv_head, ThreadScratch& mine) const {
  const Queries q = queries(step, tile, layer);
  set_queries(tile, kv_head, mine);
  mine.all.resize(q.rows(), config_.head_dim);
  mine.all.clear();
  for (std::int64_t page = q.first_page(); page < q.end_page(); ++page) {
    attend_page(step, layer, tile, kv_head, page, mine, mine.page);
    merge(kernels_, config_.head_dim, mine.page, mine.all);
  }
  finish(tile, kv_head, mine.all);
}

/// Attention of few tiles over many pages: threads share the pages, then merge
/// them by tile and kv head.
void Model::attend_split(const Step& step, std::int64_t layer,
                         const std::vector<Tile>& tiles, std::int64_t most,
                         int thread, Team& team) const {
  Scratch& s = *scratch_;
  ThreadScratch& mine = s.threads[static_cast<std::size_t>(thread)];
  const std::int64_t heads = config_.kv_heads;
  const auto items = static_cast<std::int64_t>(tiles.size()) * heads;
  for (std::int64_t i = thread; i < items * most; i += team.size()) {
    const std::int64_t item = i / most;
    const Tile& tile = tiles[size(item / heads)];
    if (i % most >= pages(step, tile, layer)) continue;
    set_queries(tile, item % heads, mine);
    const std::int64_t first = queries(step, tile, layer).first_page();
    attend_page(step, layer, tile, item % heads, first + i % most, mine,
                s.partial[size(i)]);
  }
  team.barrier();
  const Share merged(items, thread, team.size());
  for (std::int64_t item = merged.begin; item < merged.end; ++item) {
    const Tile& tile = tiles[size(item / heads)];
    mine.all.resize(queries(step, tile, layer).rows(), config_.head_dim);
    mine.all.clear();
    for (std::int64_t page = 0; page < pages(step, tile, layer); ++page) {
      merge(kernels_, config_.head_dim, s.partial[size(item * most + page)],
            mine.all);
    }
    finish(tile, item % heads, mine.all);
  }
}

/// Attention by work items: one a tile and kv head or, when those are few and
/// the sequences long, one a page of them.
void Model::attend(const Step& step, std::int64_t layer,
                   const std::vector<Tile>& tiles, int thread,
                   Team& team) const {
  const std::int64_t heads = config_.kv_heads;
  const auto items = static_cast<std::int64_t>(tiles.size()) * heads;
  std::int64_t most = 0;
  for (const Tile& tile : tiles)
    most = std::max(most, pages(step, tile, layer));
  if (team.size() > 1 && items < std::int64_t{2} * team.size() && most > 1) {
    attend_split(step, layer, tiles, most, thread, team);
  } else {
    ThreadScratch& mine = scratch_->threads[static_cast<std::size_t>(thread)];
    // Round robin, as later tiles see more pages.
    for (std::int64_t i = thread; i < items; i += team.size()) {
      attend_tile(step, layer, tiles[size(i / heads)], i % heads, mine);
    }
  }
  team.barrier();
}

/// Norms the states, stores keys and values, and sets `mixed`.
void Model::run_attention(const Step& step, std::int64_t index, int thread,
                          Team& team) const {
  Scratch& s = *scratch_;
  const Layer& w = layers_[size(index)];
  const std::int64_t hidden = config_.hidden;
  const Share rows(step.rows, thread, team.size());
  for (std::int64_t r = rows.begin; r < rows.end; ++r) {
    float* normed = s.normed.data() + r * hidden;
    kernels_.norm(s.x.data() + r * hidden, w.attention_norm.data(), hidden,
                  epsilon(), normed);
    prepare(normed, hidden, r);
  }
  team.barrier();
  project({{&w.q, s.q.data()}, {&w.k, s.k.data()}, {&w.v, s.v.data()}}, s.input,
          step.rows, thread, team.size());
  team.barrier();
  for (std::int64_t r = rows.begin; r < rows.end; ++r) place(step, index, r);
  team.barrier();
  attend(step, index, is_last(index) ? step.wanted_tiles : step.tiles, thread,
         team);
}

/// Sets `mixed` for the next product. After the last attention only wanted
/// tokens matter, whose states move to x.
void Model::set_mixed(const Step& step, std::int64_t index, const Share& kept,
                      float* x) const {
  Scratch& s = *scratch_;
  const std::int64_t hidden = config_.hidden;
  const std::int64_t q_size = config_.heads * config_.head_dim;
  for (std::int64_t r = kept.begin; r < kept.end; ++r) {
    const std::int64_t from = is_last(index) ? step.wanted[size(r)] : r;
    prepare(s.mixed.data() + from * q_size, q_size, r);
    if (is_last(index)) {
      std::copy_n(s.x.data() + from * hidden, hidden, x + r * hidden);
    }
  }
}

void Model::run_layer(const Step& step, std::int64_t index, int thread,
                      Team& team) const {
  Scratch& s = *scratch_;
  const Layer& w = layers_[size(index)];
  const std::int64_t hidden = config_.hidden;
  run_attention(step, index, thread, team);
  const auto count = is_last(index)
                         ? static_cast<std::int64_t>(step.wanted.size())
                         : step.rows;
  const Share kept(count, thread, team.size());
  float* x = is_last(index) ? s.last.data() : s.x.data();
  set_mixed(step, index, kept, x);
  team.barrier();
  project({{&w.out, s.y.data()}}, s.input, count, thread, team.size());
  team.barrier();
  for (std::int64_t r = kept.begin; r < kept.end; ++r) {
    float* normed = s.normed.data() + r * hidden;
    kernels_.add_norm(s.y.data() + r * hidden, w.post_attention_norm.data(),
                      hidden, epsilon(), x + r * hidden);
    kernels_.norm(x + r * hidden, w.ffn_norm.data(), hidden, epsilon(), normed);
    prepare(normed, hidden, r);
  }
  team.barrier();
  gate(w, count, thread, team.size());
  team.barrier();
  project({{&w.down, s.y.data()}}, s.gated, count, thread, team.size());
  team.barrier();
  for (std::int64_t r = kept.begin; r < kept.end; ++r) {
    kernels_.add_norm(s.y.data() + r * hidden, w.post_ffn_norm.data(), hidden,
                      epsilon(), x + r * hidden);
  }
}

/// While one looks nobody goes on.
void Model::show_layer(const Step& step, std::int64_t index, int thread,
                       Team& team, const Show& show) const {
  if (!show) return;
  team.barrier();
  const bool is_end = index >= 0 && is_last(index);
  if (thread == 0) {
    show(index, is_end ? scratch_->last.data() : scratch_->x.data(),
         is_end ? static_cast<std::int64_t>(step.wanted.size()) : step.rows);
  }
  team.barrier();
}

Model::Step Model::plan(std::span<const SequenceChunk> chunks,
                        std::span<const std::int64_t> wanted) {
  Step step;
  step.chunks = chunks;
  step.wanted = wanted;
  for (std::size_t p = 0; p < chunks.size(); ++p) {
    const auto count = static_cast<std::int64_t>(chunks[p].tokens.size());
    for (std::int64_t t = 0; t < count; t += kTileTokens) {
      step.tiles.push_back(
          {p, t, std::min(kTileTokens, count - t), step.rows + t});
    }
    for (std::int64_t t = 0; t < count; ++t) {
      step.tokens.push_back(chunks[p].tokens[size(t)]);
      step.positions.push_back(chunks[p].begin + t);
      step.chunk_of.push_back(p);
    }
    step.rows += count;
  }
  std::vector<std::int64_t> start(chunks.size());
  for (std::int64_t r = step.rows - 1; r >= 0; --r) {
    start[step.chunk_of[size(r)]] = r;
  }
  for (const std::int64_t row : wanted) {
    const std::size_t p = step.chunk_of[size(row)];
    auto& tiles = step.wanted_tiles;
    const bool follows = !tiles.empty() && tiles.back().chunk == p &&
                         tiles.back().row + tiles.back().count == row &&
                         tiles.back().count < kTileTokens;
    if (follows) {
      ++tiles.back().count;
    } else {
      tiles.push_back({p, row - start[p], 1, row});
    }
  }
  return step;
}

void Model::run(std::span<const SequenceChunk> chunks,
                std::span<const std::int64_t> wanted, float* hidden,
                const Show& show) {
  const Step step = plan(chunks, wanted);
  Scratch& s = *scratch_;
  while (static_cast<int>(s.threads.size()) < threads()) {
    s.threads.emplace_back(PageAttention(kernels_, config_.head_dim, kv_type_));
  }
  s.reserve(config_, mode_, step.rows);
  for (const SequenceChunk& chunk : chunks) {
    chunk.cache->extend(static_cast<std::int64_t>(chunk.tokens.size()));
  }
  const std::int64_t pages = config_.context / kPage + 2;
  s.partial.resize(
      std::max(s.partial.size(), 2 * s.threads.size() * size(pages)));
  parallel_region([&](int thread, Team& team) {
    const Share rows(step.rows, thread, team.size());
    for (std::int64_t r = rows.begin; r < rows.end; ++r) embed(step, r);
    show_layer(step, -1, thread, team, show);
    for (std::int64_t i = 0; i < config_.layers; ++i) {
      run_layer(step, i, thread, team);
      show_layer(step, i, thread, team, show);
    }
    const auto count = static_cast<std::int64_t>(wanted.size());
    const Share kept(count, thread, team.size());
    for (std::int64_t r = kept.begin; r < kept.end; ++r) {
      kernels_.norm(s.last.data() + r * config_.hidden, norm_.data(),
                    config_.hidden, epsilon(), hidden + r * config_.hidden);
    }
  });
}

}  // namespace penstock::gemma::native
