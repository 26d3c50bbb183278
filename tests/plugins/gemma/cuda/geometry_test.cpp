// The shapes of launches: every row and output has a block, none needs more
// than a GPU has, and few rows keep its processors busy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "gemma/cuda/kernels.h"
#include "gemma/cuda/shapes.h"

namespace penstock::gemma::cuda {
namespace {

constexpr int kH100 = 132;
constexpr std::int64_t k270mVocab = 262144;

struct Model {
  std::string name;
  int hidden, heads, kv_heads, head_dim, ffn;
};

std::vector<Model> models() {
  return {{"270m", 640, 4, 1, 256, 2048},
          {"1b", 1152, 4, 1, 256, 6912},
          {"4b", 2560, 8, 4, 256, 10240},
          {"27b", 5376, 32, 16, 128, 21504},
          {"tiny", 32, 4, 2, 24, 48}};
}

QkvParams qkv_of(const Model& m, int rows) {
  QkvParams p;
  p.in.rows = p.place.rows = rows;
  p.in.hidden = m.hidden;
  p.place.heads = m.heads;
  p.place.kv_heads = m.kv_heads;
  p.place.head_dim = m.head_dim;
  return p;
}

AttentionParams attention_of(const Model& m, int rows, int splits) {
  AttentionParams p;
  p.rows = rows;
  p.heads = m.heads;
  p.kv_heads = m.kv_heads;
  p.head_dim = m.head_dim;
  p.splits = splits;
  return p;
}

TEST(Shapes, OfOneRowKeepTheProcessorsOfA270mBusy) {
  const Model m = models()[0];
  EXPECT_EQ(geometry(qkv_of(m, 1), NumberType::kBf16).grid,
            (gpu::Dim3{192, 1, 1}));
  EXPECT_EQ(rows_geometry({.rows = 1, .outputs = 640, .columns = 2048}).grid,
            (gpu::Dim3{320, 1, 1}));
  GateUpParams g;
  g.in.rows = 1;
  g.in.hidden = 640;
  g.ffn = 2048;
  EXPECT_EQ(geometry(g, NumberType::kBf16).grid, (gpu::Dim3{256, 1, 1}));
  EXPECT_EQ(head_blocks(k270mVocab, 640, NumberType::kBf16, 2 * kH100), 264);
  EXPECT_EQ(attention_splits(1, 1, 512, kH100), 16);
  EXPECT_EQ(attention_splits(1, 1, 32768, kH100), kMostSplits);
  EXPECT_EQ(attention_splits(1, 1, 1, kH100), 1);
  EXPECT_EQ(attention_splits(300, 4, 32768, kH100), 1);
}

/// A step by one kernel: as many tasks as its launches have blocks (but for
/// gate_up's and head's, which are half as wide, and attention's of two heads),
/// a counter for each part, and three blocks in a processor's memory.
TEST(Shapes, OfAStepByOneKernel) {
  const Model m = models()[0];
  const int head_tasks =
      head_blocks(k270mVocab, m.hidden, NumberType::kBf16, 3 * kH100);
  EXPECT_EQ(head_tasks, 396);
  const auto p = std::make_unique<StepParams>();
  p->ends.embed.rows = 2;
  p->ends.embed.hidden = p->ends.head.in.hidden = m.hidden;
  p->ends.head.choice.vocab = k270mVocab;
  p->ends.head.choice.blocks = head_tasks;
  p->layer[0].qkv = qkv_of(m, 2);
  p->layer[0].attention = attention_of(m, 2, 16);
  p->layer[0].gate_up.ffn = m.ffn;
  const StepPlan plan = plan_of(*p, 18);
  EXPECT_THAT(plan.tasks,
              ::testing::ElementsAre(2, 192, 2 * 2, 320, 512, 320, 396, 2));
  EXPECT_THAT(plan.counter, ::testing::ElementsAre(0, 1, 2, 3, 4, 5, 91, 0));
  EXPECT_EQ(plan.kv_head_tasks, 192);
  EXPECT_EQ(step_counters(18, 1), (91 + 2) * 8);
  const Geometry g = geometry(*p, NumberType::kBf16, 3 * kH100);
  EXPECT_EQ(g.grid, (gpu::Dim3{396, 1, 1}));
  EXPECT_LE(3 * (g.shared_bytes + 1024), 100U << 10) << "of an RTX 4090";
}

/// What attention's splits leave behind fits, however many heads a block has.
TEST(Shapes, OfASplitNeedNoMoreForTwoHeadsThanForFour) {
  for (int group = 1; group <= 64; ++group) {
    EXPECT_LE(attention_shares(group, 1, 2) * attention_heads(group, 2),
              attention_shares(group, 1) * attention_heads(group))
        << group;
  }
}

TEST(Shapes, NeedNoMoreSharedMemoryThanABlockHas) {
  for (const Model& m : models()) {
    const Sizes sizes{.hidden = m.hidden,
                      .heads = m.heads,
                      .kv_heads = m.kv_heads,
                      .head_dim = m.head_dim,
                      .ffn = m.ffn};
    ASSERT_EQ(cannot_run(sizes, NumberType::kBf16), nullptr) << m.name;
    for (const int processors : {8, kH100}) {
      HeadParams h;
      h.in.rows = 8;
      h.in.hidden = m.hidden;
      h.choice.vocab = k270mVocab;
      h.choice.blocks =
          head_blocks(k270mVocab, m.hidden, NumberType::kBf16, 2 * processors);
      EXPECT_LE(h.choice.blocks, 1024) << "what select merges";
      EXPECT_LE(geometry(h, NumberType::kBf16).shared_bytes, 96U << 10)
          << m.name << " on " << processors;
    }
    EXPECT_LE(geometry(qkv_of(m, 8), NumberType::kBf16).shared_bytes,
              96U << 10);
    EXPECT_LE(geometry(attention_of(m, 1, 4), NumberType::kBf16).shared_bytes,
              48U << 10);
  }
  EXPECT_LE(tiled_geometry({.rows = 1}).shared_bytes, 96U << 10);
}

TEST(Shapes, HaveABlockForEveryRowAndOutput) {
  const ProductParams p{.rows = 257, .outputs = 1001, .columns = 8};
  EXPECT_EQ(rows_geometry(p).grid, (gpu::Dim3{501, 33, 1}));
  EXPECT_EQ(tiled_geometry(p), (Geometry{{16, 5, 1}, {128}, 73728}));
  ProductParams many{.rows = 2048, .outputs = 1001, .columns = 8};
  many.tiles = TileSize::kLarge;
  EXPECT_EQ(tiled_geometry(many), (Geometry{{8, 16, 1}, {256}, 81920}));
  many.tiles = TileSize::kHuge;
  EXPECT_EQ(tiled_geometry(many), (Geometry{{4, 16, 1}, {256}, 92160}));
  const Model gqa = models()[3];
  EXPECT_EQ(geometry(attention_of(gqa, 3, 5), NumberType::kF32).grid,
            (gpu::Dim3{3, 16, 5}));
  EXPECT_EQ(
      geometry(attention_of({"", 8, 8, 1, 8, 8}, 3, 5), NumberType::kF32).grid,
      (gpu::Dim3{3, 2, 5}));
  EXPECT_EQ(attention_partial_floats(attention_of(gqa, 3, 5)),
            3 * 16 * 5 * 2 * 130);
}

/// Of the 270M: qkv, out and down, gate_up, head.
TEST(Shapes, OfTilesSuitTheRowsAndOutputs) {
  EXPECT_EQ(best_tiles(2048, 1536), TileSize::kHuge);
  EXPECT_EQ(best_tiles(2048, 640), TileSize::kLarge) << "80 of 132 work";
  EXPECT_EQ(best_tiles(2048, 4096), TileSize::kHuge);
  EXPECT_EQ(best_tiles(64, 640), TileSize::kSmall);
  EXPECT_EQ(best_tiles(9, 4096), TileSize::kSmall);
  EXPECT_EQ(best_tiles(256, 262144), TileSize::kHuge);
}

/// Where the card has warpgroups' products. How many rows are too few for them
/// depends on the outputs.
TEST(Shapes, OfGroupsSuitTheRowsAndOutputs) {
  EXPECT_EQ(best_tiles(2048, 1536, true), TileSize::kWideGroups);
  EXPECT_EQ(best_tiles(2048, 640, true), TileSize::kNarrowGroups);
  EXPECT_EQ(best_tiles(8192, 640, true), TileSize::kMiddleGroups)
      << "256 blocks, two rounds of 132";
  EXPECT_EQ(best_tiles(2048, 4096, true), TileSize::kWideGroups);
  EXPECT_EQ(best_tiles(64, 640, true), TileSize::kSmall);
  EXPECT_EQ(best_tiles(9, 4096, true), TileSize::kSmall);
  // As README.md has it, the last rows that stay and the first that do not.
  for (const auto& [rows, outputs] :
       {std::pair{128, 4096}, {448, 1536}, {1152, 640}}) {
    EXPECT_FALSE(is_of_groups(best_tiles(rows, outputs, true))) << outputs;
    EXPECT_TRUE(is_of_groups(best_tiles(rows + 1, outputs, true))) << outputs;
  }
  ProductParams p{.rows = 2048, .outputs = 1001, .columns = 8};
  p.tiles = TileSize::kNarrowGroups;
  EXPECT_EQ(tiled_geometry(p), (Geometry{{8, 16, 1}, {256}, 131072}));
  p.tiles = TileSize::kMiddleGroups;
  EXPECT_EQ(tiled_geometry(p), (Geometry{{7, 16, 1}, {256}, 147456}));
  p.tiles = TileSize::kWideGroups;
  EXPECT_EQ(tiled_geometry(p), (Geometry{{4, 16, 1}, {256}, 196608}));
}

/// Of the 270M on 132 processors: chunks of 2048 tokens are 128 blocks of one
/// warpgroup, but 64 of two; of 4096 those are 128.
TEST(Shapes, OfAttentionByGroupsKeepProcessorsBusy) {
  EXPECT_EQ(attention_tile_tokens(4, 1), 16);
  EXPECT_EQ(attention_tile_tokens(4, 1, 1), 16);
  EXPECT_EQ(attention_tile_tokens(4, 1, 2), 32);
  for (const int head_dim : {64, 128, 256}) {
    EXPECT_EQ(attention_groups(128, 64, head_dim, kH100), 1) << head_dim;
    EXPECT_EQ(attention_groups(256, 128, head_dim, kH100), 2) << head_dim;
    EXPECT_EQ(attention_groups(512, 256, head_dim, kH100), 2) << head_dim;
    EXPECT_EQ(attention_groups(1, 1, head_dim, kH100), 1) << head_dim;
  }
  // 264 blocks of 128 numbers a head are there at once, and 100 are left; of
  // 256 numbers 132 are, and of two warpgroups 132 and 50.
  EXPECT_EQ(attention_groups(364, 182, 128, kH100), 1);
  EXPECT_EQ(attention_groups(364, 182, 256, kH100), 2);
  AttentionTileParams p;
  p.count = 64;
  p.heads = 4;
  p.kv_heads = 1;
  p.head_dim = 256;
  p.groups = 2;
  EXPECT_EQ(group_geometry(p), (Geometry{{64, 1, 1}, {256}, 196608}));
  p.groups = 1;
  p.head_dim = 72;
  EXPECT_EQ(group_geometry(p), (Geometry{{64, 1, 1}, {128}, 81920}));
}

/// tools/lib/gpu/roofline.py chooses by constants of its own; gpu_model_test
/// holds it against the same table.
TEST(Shapes, AreChosenAsTheRooflineModelHasThem) {
  std::ifstream table(PENSTOCK_FIXTURES "/gpu_choices.txt");
  int found = 0;
  for (std::string line; std::getline(table, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string what;
    int rows = 0;
    words >> what >> rows;
    if (what == "tiles") {
      int outputs = 0, has_groups = 0, block_rows = 0, across = 0, groups = 0;
      words >> outputs >> has_groups >> block_rows >> across >> groups;
      ProductParams p{.rows = rows, .outputs = outputs, .columns = 64};
      p.tiles = best_tiles(rows, outputs, has_groups != 0);
      EXPECT_EQ(is_of_groups(p.tiles), groups != 0) << line;
      const auto up = [](int a, int b) {
        return static_cast<unsigned>((a + b - 1) / b);
      };
      EXPECT_EQ(tiled_geometry(p).grid,
                (gpu::Dim3{up(outputs, across), up(rows, block_rows), 1}))
          << line;
    } else {
      ASSERT_EQ(what, "attention");
      int heads = 0, kv_heads = 0, head_dim = 0, processors = 0, groups = 0;
      words >> heads >> kv_heads >> head_dim >> processors >> groups;
      const auto blocks = [&](int of) {
        const int tokens = attention_tile_tokens(heads, kv_heads, of);
        return (rows + tokens - 1) / tokens * attention_shares(heads, kv_heads);
      };
      EXPECT_EQ(attention_groups(blocks(1), blocks(2), head_dim, processors),
                groups)
          << line;
    }
    EXPECT_FALSE(words.fail()) << line;
    ++found;
  }
  EXPECT_GT(found, 200);
}

TEST(Shapes, OfManyRowsAreTiles) {
  EXPECT_FALSE(is_tiled(NumberType::kBf16, 8));
  EXPECT_TRUE(is_tiled(NumberType::kBf16, 9));
  EXPECT_FALSE(is_tiled(NumberType::kF32, 500));
}

TEST(Sizes, ThatCannotRunSayWhy) {
  const Sizes good{
      .hidden = 640, .heads = 4, .kv_heads = 1, .head_dim = 256, .ffn = 2048};
  const auto why = [](const Sizes& sizes) {
    const char* text = cannot_run(sizes, NumberType::kBf16);
    return std::string(text == nullptr ? "" : text);
  };
  using ::testing::HasSubstr;
  EXPECT_EQ(why(good), "");
  Sizes bad = good;
  bad.hidden = 644;
  EXPECT_THAT(why(bad), HasSubstr("hidden is not a multiple of 8"));
  bad = good;
  bad.ffn = 4;
  EXPECT_THAT(why(bad), HasSubstr("ffn"));
  bad = good;
  bad.head_dim = 264;
  EXPECT_THAT(why(bad), HasSubstr("head_dim is more than 256"));
  bad.head_dim = 20;
  EXPECT_THAT(why(bad), HasSubstr("head_dim is not a multiple of 8"));
  bad = good;
  bad.kv_heads = 3;
  EXPECT_THAT(why(bad), HasSubstr("heads are not a multiple of kv_heads"));
  bad.kv_heads = 0;
  EXPECT_THAT(why(bad), HasSubstr("kv_heads"));
  bad = good;
  bad.hidden = 8192;
  EXPECT_THAT(why(bad), HasSubstr("shared memory"));
}

/// As many blocks as the head has; none is too large where it is not refused.
TEST(Shapes, OfAScreenedHeadFitEveryModel) {
  for (const Model& m : models()) {
    ScreenedParams p;
    p.head.in.rows = kRowTile;
    p.head.in.hidden = m.hidden;
    p.head.choice.vocab = k270mVocab;
    p.head.choice.blocks =
        head_blocks(k270mVocab, m.hidden, NumberType::kBf16, 2 * kH100);
    const auto blocks = static_cast<unsigned>(p.head.choice.blocks);
    EXPECT_EQ(screen_geometry(p).grid, (gpu::Dim3{blocks})) << m.name;
    EXPECT_EQ(refine_geometry(p).grid, (gpu::Dim3{blocks})) << m.name;
    EXPECT_LE(screen_geometry(p).shared_bytes, 96U << 10) << m.name;
    const bool is_refused =
        cannot_screen(k270mVocab, m.hidden, p.head.choice.blocks) != nullptr;
    EXPECT_EQ(is_refused, refine_geometry(p).shared_bytes > 96U << 10);
    EXPECT_EQ(is_refused, m.name == "27b") << m.name;
  }
  EXPECT_STREQ(cannot_screen(1000, 24, 3), "hidden is not a multiple of 16");
}

}  // namespace
}  // namespace penstock::gemma::cuda
