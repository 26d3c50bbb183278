// The shapes of launches. How they are chosen: README.md.
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "gemma/cuda/bodies/score.h"
#include "gemma/cuda/kernels.h"
#include "gemma/cuda/shapes.h"

namespace penstock::gemma::cuda {
namespace {

/// No GPU since compute capability 8.0 but 8.6 and 8.9 (99 KiB) has less. What
/// products of warpgroups take of 9.0 alone is in shapes.h.
constexpr std::int64_t kMostShared = std::int64_t{96} << 10;

unsigned parts(std::int64_t count, std::int64_t each) {
  return static_cast<unsigned>((count + each - 1) / each);
}

/// As shared() hands it out.
unsigned shared_bytes(std::int64_t bytes) { return parts(bytes, 16) * 16; }

unsigned normed_bytes(const Residual& in, NumberType type) {
  return shared_bytes(std::int64_t{kRowTile} * in.hidden * bytes_of(type));
}

/// What best.h needs, of each warp.
unsigned places_bytes(int threads) {
  return shared_bytes(std::int64_t{threads} / kWarpThreads * kMostReach * 2);
}

/// Of the scores of a block, and of what it keeps beside them.
unsigned attention_bytes(const AttentionParams& p, int most_heads) {
  const std::int64_t heads = attention_heads(p.heads / p.kv_heads, most_heads);
  const std::int64_t floats =
      heads * kKeyTile + heads * 4 + kAttentionWarps * heads * p.head_dim;
  return shared_bytes(floats * 4) + 16;
}

unsigned head_bytes(const HeadParams& p, NumberType type, int threads) {
  const std::int64_t tokens = block_tokens(p.choice.vocab, p.choice.blocks);
  return normed_bytes(p.in, type) + shared_bytes(kRowTile * tokens * 4) +
         places_bytes(threads);
}

/// As head_bytes(), with a list of tokens, floors of rows and a counter.
unsigned refine_bytes(const HeadParams& p) {
  const std::int64_t tokens = block_tokens(p.choice.vocab, p.choice.blocks);
  return head_bytes(p, NumberType::kBf16, kHeadThreads) +
         shared_bytes(tokens * 2) + shared_bytes(kRowTile * 4) +
         shared_bytes(4);
}

unsigned select_bytes(int threads) {
  return shared_bytes(std::int64_t{2} * threads / kWarpThreads * 8) +
         kMostReach * 8 + 16 + shared_bytes((std::int64_t{threads} + 1) * 4);
}

constexpr unsigned kRowsBytes = kRowsThreads / kWarpThreads * 2 * kRowTile * 4;

template <class Tile>
Geometry grid_of(std::int64_t rows, std::int64_t outputs) {
  return {.grid = {parts(outputs, Tile::kOutputs), parts(rows, Tile::kRows)},
          .block = {Tile::kThreads},
          .shared_bytes = Tile::kBytes};
}

Geometry tiles(TileSize size, std::int64_t rows, std::int64_t outputs) {
  switch (size) {
    case TileSize::kSmall:
      break;
    case TileSize::kLarge:
      return grid_of<LargeTiles>(rows, outputs);
    case TileSize::kHuge:
      return grid_of<HugeTiles>(rows, outputs);
    case TileSize::kNarrowGroups:
      return grid_of<NarrowGroups>(rows, outputs);
    case TileSize::kMiddleGroups:
      return grid_of<MiddleGroups>(rows, outputs);
    case TileSize::kWideGroups:
      return grid_of<WideGroups>(rows, outputs);
  }
  return grid_of<SmallTiles>(rows, outputs);
}

// Of a processor a clock, by mma.sync and by warpgroups.
constexpr double kTileProducts = 1016;
constexpr double kGroupProducts = 1230;

/// Clocks of an H100 for each column: of the tensor cores, in whole rounds of
/// blocks, or of the second cache, whichever is more.
template <class Tile>
double clocks(std::int64_t rows, std::int64_t outputs,
              double products_a_clock = kTileProducts) {
  constexpr std::int64_t kProcessors = 132;
  constexpr double kCacheBytes = 3610;  // a clock, of all together
  const auto blocks =
      static_cast<std::int64_t>(grid_of<Tile>(rows, outputs).grid.count());
  const std::int64_t rounds = (blocks + kProcessors - 1) / kProcessors;
  const auto products =
      static_cast<double>(rounds * Tile::kRows * Tile::kOutputs);
  const auto bytes =
      static_cast<double>(blocks * (Tile::kRows + Tile::kOutputs) * 2);
  return std::max(products / products_a_clock, bytes / kCacheBytes);
}

}  // namespace

bool is_tiled(NumberType type, int rows) {
  return type == NumberType::kBf16 && rows > kRowTile;
}

const char* cannot_run(const Sizes& sizes, NumberType type) {
  const std::int64_t normed = kRowTile * sizes.hidden * bytes_of(type);
  // A block of head has at least 32 tokens' scores as well.
  const std::int64_t scores =
      std::int64_t{kRowTile} * kWarpThreads * 4 + places_bytes(kHeadThreads);
  if (sizes.hidden % 8 != 0) return "hidden is not a multiple of 8";
  if (sizes.ffn % 8 != 0) return "ffn is not a multiple of 8";
  if (sizes.head_dim % 8 != 0) return "head_dim is not a multiple of 8";
  if (sizes.head_dim > kMostHeadDim) return "head_dim is more than 256";
  if (sizes.kv_heads == 0 || sizes.heads % sizes.kv_heads != 0) {
    return "heads are not a multiple of kv_heads";
  }
  if (normed + scores > kMostShared) {
    return "eight rows of hidden are more than a block's shared memory";
  }
  return nullptr;
}

Geometry geometry(const EmbedParams& p) {
  return {.grid = {static_cast<unsigned>(p.rows)}, .block = {kEmbedThreads}};
}

Geometry geometry(const QkvParams& p, NumberType type) {
  const std::int64_t outputs =
      std::int64_t{p.place.all_heads()} * p.place.head_dim;
  return {.grid = {parts(outputs, kQkvOutputs), parts(p.in.rows, kRowTile)},
          .block = {kQkvThreads},
          .shared_bytes = normed_bytes(p.in, type) + 16};
}

Geometry geometry(const AttentionParams& p, NumberType /*type*/) {
  return {.grid = {static_cast<unsigned>(p.rows),
                   static_cast<unsigned>(attention_shares(p.heads, p.kv_heads)),
                   static_cast<unsigned>(p.splits)},
          .block = {kAttentionThreads},
          .shared_bytes = attention_bytes(p, kAttentionHeads)};
}

Geometry geometry(const AttentionTileParams& p) {
  const std::int64_t rows = kQueryRows + 2 * kKeyStep;
  return {
      .grid = {static_cast<unsigned>(p.count),
               static_cast<unsigned>(attention_shares(p.heads, p.kv_heads))},
      .block = {kQueryThreads},
      .shared_bytes = shared_bytes(rows * head_stride(p.head_dim) * 2)};
}

Geometry group_geometry(const AttentionTileParams& p) {
  return {
      .grid = {static_cast<unsigned>(p.count),
               static_cast<unsigned>(attention_shares(p.heads, p.kv_heads))},
      .block = {static_cast<unsigned>(p.groups) * 4 * kWarpThreads},
      .shared_bytes = shared_bytes(group_bytes(p.groups, p.head_dim))};
}

int attention_tile_tokens(int heads, int kv_heads, int groups) {
  return std::max(groups, 1) * kQueryRows / attention_heads(heads / kv_heads);
}

int attention_groups(std::int64_t blocks_of_one, std::int64_t blocks_of_two,
                     int head_dim, int processors) {
  // Of the peak, two warpgroups of a processor reach 55 %, be they one block or
  // two, and one alone, which waits for its scores, 40. So they take 2 / 0.55
  // and 1 / 0.40, times 22.
  constexpr std::int64_t kOne = 55;
  constexpr std::int64_t kTwo = 80;
  const std::int64_t of_two = parts(blocks_of_two, processors) * kTwo;
  if (one_group_blocks(head_dim) == 1) {
    return parts(blocks_of_one, processors) * kOne < of_two ? 1 : 2;
  }
  const std::int64_t at_once = std::int64_t{2} * processors;
  const std::int64_t left = blocks_of_one % at_once;
  const std::int64_t last = left == 0 ? 0 : left <= processors ? kOne : kTwo;
  return blocks_of_one / at_once * kTwo + last < of_two ? 1 : 2;
}

Geometry rows_geometry(const ProductParams& p) {
  return {.grid = {parts(p.outputs, 2), parts(p.rows, kRowTile)},
          .block = {kRowsThreads},
          .shared_bytes = kRowsBytes};
}

Geometry geometry(const GateUpParams& p, NumberType type) {
  return {.grid = {parts(p.ffn, kGateThreads / kWarpThreads),
                   parts(p.in.rows, kRowTile)},
          .block = {kGateThreads},
          .shared_bytes = normed_bytes(p.in, type)};
}

Geometry geometry(const HeadParams& p, NumberType type) {
  return {.grid = {static_cast<unsigned>(p.choice.blocks),
                   parts(p.in.rows, kRowTile)},
          .block = {kHeadThreads},
          .shared_bytes = head_bytes(p, type, kHeadThreads)};
}

Geometry screen_geometry(const ScreenedParams& p) {
  constexpr std::int64_t kFloats = 2 + kLows * kHeadThreads / kWarpThreads;
  return {.grid = {static_cast<unsigned>(p.head.choice.blocks)},
          .block = {kHeadThreads},
          .shared_bytes = normed_bytes(p.head.in, NumberType::kBf16) +
                          shared_bytes(kRowTile * kFloats * 4)};
}

Geometry refine_geometry(const ScreenedParams& p) {
  return {.grid = {static_cast<unsigned>(p.head.choice.blocks)},
          .block = {kHeadThreads},
          .shared_bytes = refine_bytes(p.head)};
}

const char* cannot_screen(int vocab, int hidden, int blocks) {
  HeadParams head;
  head.in.hidden = hidden;
  head.choice.vocab = vocab;
  head.choice.blocks = blocks;
  if (hidden % kScreenColumns != 0) return "hidden is not a multiple of 16";
  if (refine_bytes(head) > kMostShared) {
    return "its tokens and eight rows of hidden are more than a block's shared "
           "memory";
  }
  return nullptr;
}

Geometry geometry(const SelectParams& p) {
  return {.grid = {static_cast<unsigned>(p.rows)},
          .block = {kSelectThreads},
          .shared_bytes = select_bytes(kSelectThreads)};
}

Geometry geometry(const DrawParams& p) {
  constexpr std::int64_t kEach = 2 * 8 + 4 * 4;  // as DrawSpace has them
  return {.grid = {static_cast<unsigned>(p.rows)},
          .block = {kDrawThreads},
          .shared_bytes = shared_bytes(kDrawThreads * kEach) +
                          shared_bytes(kDrawThreads / kWarpThreads * 4)};
}

Geometry geometry(const NormParams& p) {
  return {.grid = {parts(p.in.rows, kNormThreads / kWarpThreads)},
          .block = {kNormThreads}};
}

TileSize best_tiles(std::int64_t rows, std::int64_t outputs, bool has_groups) {
  // Of equal ones the first: it reads least.
  const std::array all{
      std::pair{clocks<WideGroups>(rows, outputs, kGroupProducts),
                TileSize::kWideGroups},
      std::pair{clocks<MiddleGroups>(rows, outputs, kGroupProducts),
                TileSize::kMiddleGroups},
      std::pair{clocks<NarrowGroups>(rows, outputs, kGroupProducts),
                TileSize::kNarrowGroups},
      std::pair{clocks<HugeTiles>(rows, outputs), TileSize::kHuge},
      std::pair{clocks<LargeTiles>(rows, outputs), TileSize::kLarge},
      std::pair{clocks<SmallTiles>(rows, outputs), TileSize::kSmall},
  };
  return std::min_element(
             has_groups ? all.begin() : all.begin() + 3, all.end(),
             [](const auto& a, const auto& b) { return a.first < b.first; })
      ->second;
}

Geometry tiled_geometry(const ProductParams& p) {
  return tiles(p.tiles, p.rows, p.outputs);
}

Geometry geometry(const GatedProductParams& p) {
  return tiles(p.tiles, p.rows, std::int64_t{2} * p.ffn);
}

Geometry geometry(const PlaceParams& p) {
  return {.grid = {static_cast<unsigned>(p.rows),
                   parts(p.all_heads(), kPlaceThreads / kWarpThreads)},
          .block = {kPlaceThreads}};
}

Geometry geometry(const ScanParams& p) {
  const int tokens = block_tokens(p.choice.vocab, p.choice.blocks);
  const int rows = kScanThreads / kWarpThreads;
  return {.grid = {static_cast<unsigned>(p.choice.blocks), parts(p.rows, rows)},
          .block = {kScanThreads},
          .shared_bytes = shared_bytes(std::int64_t{rows} * tokens * 4) +
                          places_bytes(kScanThreads)};
}

int attention_splits(int rows, int kv_heads, std::int64_t keys,
                     int processors) {
  // Two blocks for each processor, no less than 32 keys for each block.
  const std::int64_t wanted =
      parts(std::int64_t{2} * processors, std::int64_t{rows} * kv_heads);
  const std::int64_t most = std::max<std::int64_t>(1, keys / 32);
  return static_cast<int>(
      std::clamp<std::int64_t>(std::min(wanted, most), 1, kMostSplits));
}

std::int64_t attention_partial_floats(const AttentionParams& p) {
  const std::int64_t heads = attention_heads(p.heads / p.kv_heads);
  return std::int64_t{p.rows} * attention_shares(p.heads, p.kv_heads) *
         p.splits * heads * (p.head_dim + 2);
}

int head_blocks(int vocab, int hidden, NumberType type, int wanted) {
  // As many as are wanted, or as keep their scores in shared memory beside the
  // rows.
  const std::int64_t left = kMostShared - places_bytes(kHeadThreads) -
                            std::int64_t{kRowTile} * hidden * bytes_of(type);
  const std::int64_t token_bytes = std::int64_t{kRowTile} * 4;
  const std::int64_t most_tokens =
      std::max<std::int64_t>(left / token_bytes / kWarpThreads, 1) *
      kWarpThreads;
  const std::int64_t least_blocks = parts(vocab, most_tokens);
  const std::int64_t words = parts(vocab, kWarpThreads);
  return static_cast<int>(std::clamp<std::int64_t>(
      std::min(std::int64_t{wanted}, words), least_blocks,
      std::max<std::int64_t>(least_blocks, kMostBlocks)));
}

const char* cannot_step(std::int64_t layers) {
  static const std::string kWhy = "it has more than " +
                                  std::to_string(kMostStepLayers) +
                                  " layers, and their params no room";
  return layers > kMostStepLayers ? kWhy.c_str() : nullptr;
}

int step_counters(std::int64_t layers, std::int64_t kv_heads) {
  // Of embed, of each layer's qkv by kv head and four more, of head, a ticket.
  return static_cast<int>(1 + layers * (kv_heads + 4) + 2) * kCounterWords;
}

StepPlan plan_of(const StepParams& p, int layers) {
  const PlaceParams& place = p.layer[0].qkv.place;
  const int shares =
      attention_shares(place.heads, place.kv_heads, kStepAttentionHeads);
  const int head_tasks = place.head_dim / kQkvOutputs;
  const int group = place.heads / place.kv_heads;
  const int row_tasks = p.ends.embed.hidden / 2;
  const int each = place.kv_heads + 4;
  const int rows = p.ends.embed.rows;
  return {
      .layers = layers,
      .rows = rows,
      .tasks = {rows, place.all_heads() * head_tasks, rows * shares, row_tasks,
                static_cast<int>(
                    parts(p.layer[0].gate_up.ffn, kStepThreads / kWarpThreads)),
                row_tasks, p.ends.head.choice.blocks, rows},
      .counter = {0, 1, 1 + place.kv_heads, 2 + place.kv_heads,
                  3 + place.kv_heads, 4 + place.kv_heads, 1 + layers * each, 0},
      .layer_counters = each,
      .shares = shares,
      .kv_head_shares = shares / place.kv_heads,
      .head_tasks = head_tasks,
      .kv_head_tasks = (group + 2) * head_tasks,
      .heads = place.heads,
      .kv_heads = place.kv_heads,
      .group = group};
}

unsigned step_bytes(const Sizes& sizes, std::int64_t vocab, int head_tasks,
                    NumberType type) {
  HeadParams head;
  head.in.hidden = static_cast<int>(sizes.hidden);
  head.choice.vocab = static_cast<int>(vocab);
  head.choice.blocks = head_tasks;
  AttentionParams attention;
  attention.heads = static_cast<int>(sizes.heads);
  attention.kv_heads = static_cast<int>(sizes.kv_heads);
  attention.head_dim = static_cast<int>(sizes.head_dim);
  return std::max({normed_bytes(head.in, type) + 16, kRowsBytes,
                   attention_bytes(attention, kStepAttentionHeads),
                   head_bytes(head, type, kStepThreads),
                   select_bytes(kStepThreads)});
}

Geometry geometry(const StepParams& p, NumberType type, int blocks) {
  const AttentionParams& attention = p.layer[0].attention;
  const HeadParams& head = p.ends.head;
  return {
      .grid = {static_cast<unsigned>(blocks)},
      .block = {kStepThreads},
      .shared_bytes = step_bytes({.hidden = head.in.hidden,
                                  .heads = attention.heads,
                                  .kv_heads = attention.kv_heads,
                                  .head_dim = attention.head_dim},
                                 head.choice.vocab, head.choice.blocks, type)};
}

std::uint64_t pack_score(float score, std::int32_t token) {
  return pack(score, token);
}
float packed_score(std::uint64_t packed) { return packed_float(packed); }
std::int32_t packed_token(std::uint64_t packed) { return packed_id(packed); }

}  // namespace penstock::gemma::cuda
