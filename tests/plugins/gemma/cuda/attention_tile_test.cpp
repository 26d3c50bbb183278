// Attention of many rows by tensor cores against plain loops in double, with
// what the kernel of few rows sees of the cache: nothing else was written.
#include <algorithm>
#include <ostream>

#include "tests/plugins/gemma/cuda/attention_reference.h"
#include "tests/plugins/gemma/cuda/support.h"

namespace penstock::gemma::cuda {
namespace {

struct Chunk {
  int begin = 0, tokens = 1;
};

struct TileAttentionCase {
  std::string name;
  int heads = 4, kv_heads = 1, head_dim = 16, window = 0;
  std::vector<Chunk> chunks = {{}};  ///< one slot each
  bool is_reversed = false;
};
void PrintTo(const TileAttentionCase& c, std::ostream* os) { *os << c.name; }

std::vector<TileAttentionCase> tile_attention_cases() {
  return {
      {.name = "first_token"},
      {.name = "a_whole_tile", .chunks = {{0, 16}}},
      {.name = "a_token_more", .chunks = {{0, 17}}},
      {.name = "chunks", .chunks = {{60, 5}, {0, 3}, {127, 20}, {31, 1}}},
      {.name = "window", .window = 11, .chunks = {{0, 14}, {60, 20}, {95, 3}}},
      {.name = "window_of_a_step", .window = 32, .chunks = {{31, 3}, {64, 9}}},
      {.name = "window_of_one", .window = 1, .chunks = {{63, 4}}},
      {.name = "long_window", .window = 140, .chunks = {{130, 18}}},
      {.name = "two_kv_heads",
       .kv_heads = 2,
       .head_dim = 24,
       .chunks = {{10, 35}}},
      {.name = "head_for_head",
       .heads = 2,
       .kv_heads = 2,
       .head_dim = 8,
       .chunks = {{0, 66}}},
      {.name = "three_heads_of_one", .heads = 3, .chunks = {{5, 7}}},
      {.name = "six_heads_of_one",
       .heads = 6,
       .chunks = {{5, 7}},
       .is_reversed = true},
      {.name = "wide_tiles", .chunks = {{0, 32}, {64, 33}, {200, 64}}},
      {.name = "wide_tiles_in_a_window",
       .window = 70,
       .chunks = {{0, 90}, {190, 32}},
       .is_reversed = true},
      {.name = "of_half_a_head",
       .head_dim = 72,
       .window = 128,
       .chunks = {{100, 40}}},
      {.name = "of_270m", .head_dim = 256, .window = 512, .chunks = {{50, 18}}},
  };
}

class TileAttention : public ::testing::TestWithParam<TileAttentionCase> {};

/// By so many warpgroups a block; 0: by mma.sync.
void expect_seen(const TileAttentionCase& c, int groups) {
  Device device(NumberType::kBf16);
  device.is_reversed = c.is_reversed;
  AttentionSetup setup{.heads = c.heads,
                       .kv_heads = c.kv_heads,
                       .head_dim = c.head_dim,
                       .window = c.window};
  std::vector<std::int32_t> tiles;
  const int most = attention_tile_tokens(c.heads, c.kv_heads, groups);
  for (const Chunk& chunk : c.chunks) {
    const auto slot = static_cast<std::int32_t>(&chunk - c.chunks.data());
    for (int t = 0; t < chunk.tokens; ++t) {
      if (t % most == 0) {
        tiles.push_back(static_cast<std::int32_t>(setup.positions.size()));
        tiles.push_back(std::min(most, chunk.tokens - t));
      }
      setup.positions.push_back(chunk.begin + t);
      setup.slots.push_back(slot);
    }
  }
  tiles.insert(tiles.end(), {0, 0});  // one that fills a batch up
  const AttentionParams rows = make_attention(device, setup);
  AttentionTileParams p;
  p.q = rows.q;
  p.positions = rows.positions;
  p.slots = rows.slots;
  p.tiles = device.ints(tiles, "tiles");
  p.cache = rows.cache;
  p.out = rows.out;
  p.count = static_cast<int>(tiles.size() / 2);
  p.heads = c.heads;
  p.kv_heads = c.kv_heads;
  p.head_dim = c.head_dim;
  p.window = c.window;
  p.groups = groups;
  if (groups > 0) {
    device.launch(device.kernels().groups.attention_tile, group_geometry(p), p);
  } else {
    device.launch(device.kernels().attention_tile, geometry(p), p);
  }
  for (int row = 0; row < rows.rows; ++row) {
    expect_attention(device, rows, row, /*is_rounded=*/true);
  }
}

TEST_P(TileAttention, SeesItsKeys) { expect_seen(GetParam(), 0); }
TEST_P(TileAttention, SeesItsKeysByAWarpgroup) { expect_seen(GetParam(), 1); }
TEST_P(TileAttention, SeesItsKeysByTwo) { expect_seen(GetParam(), 2); }

INSTANTIATE_TEST_SUITE_P(All, TileAttention,
                         ::testing::ValuesIn(tile_attention_cases()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace penstock::gemma::cuda
