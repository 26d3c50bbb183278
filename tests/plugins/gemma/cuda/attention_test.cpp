// The kernel of attention against plain loops in double. Of the cache only keys
// and values that a row sees were written: the simulator tells of a read of any
// other.
#include <algorithm>
#include <ostream>

#include "tests/plugins/gemma/cuda/attention_reference.h"
#include "tests/plugins/gemma/cuda/support.h"

namespace penstock::gemma::cuda {
namespace {

struct AttentionCase {
  std::string name;
  NumberType type = NumberType::kF32;
  int heads = 4, kv_heads = 1, head_dim = 16;
  int window = 0, splits = 1;
  std::vector<std::int32_t> positions = {0};  ///< one slot each
  std::vector<std::int32_t> pick = {};
  bool is_reversed = false;
};
void PrintTo(const AttentionCase& c, std::ostream* os) { *os << c.name; }

std::vector<AttentionCase> attention_cases() {
  constexpr auto kBf16 = NumberType::kBf16;
  return {
      {.name = "first_token"},
      {.name = "first_token_of_splits", .splits = 4},
      {.name = "ends_of_pages", .positions = {62, 63, 64, 127, 128}},
      {.name = "ends_of_pages_of_bf16",
       .type = kBf16,
       .positions = {62, 63, 64, 127, 128}},
      {.name = "edges_of_a_window",
       .window = 11,
       .positions = {9, 10, 11, 12, 63, 64, 74, 75}},
      {.name = "window_of_pages",
       .type = kBf16,
       .window = 128,
       .splits = 3,
       .positions = {126, 127, 128, 129, 191, 192}},
      {.name = "window_of_one", .window = 1, .positions = {0, 64, 100}},
      {.name = "splits_that_see_nothing", .splits = 7, .positions = {3, 40}},
      {.name = "splits_of_many_keys", .splits = 5, .positions = {300, 17}},
      {.name = "splits_reversed",
       .splits = 5,
       .positions = {300, 17},
       .is_reversed = true},
      {.name = "two_kv_heads",
       .kv_heads = 2,
       .head_dim = 24,
       .splits = 2,
       .positions = {70, 5}},
      {.name = "head_for_head",
       .heads = 3,
       .kv_heads = 3,
       .head_dim = 8,
       .splits = 2,
       .positions = {70}},
      {.name = "three_heads_of_one", .heads = 3, .positions = {20}},
      {.name = "eight_heads_of_one",
       .heads = 8,
       .splits = 2,
       .positions = {66}},
      {.name = "six_heads_of_one", .heads = 6, .positions = {66}},
      {.name = "an_empty_row", .splits = 2, .positions = {5, -1, 64}},
      {.name = "picked_rows",
       .type = kBf16,
       .positions = {5, 6, 64},
       .pick = {2, -1, 0}},
      {.name = "of_270m",
       .type = kBf16,
       .head_dim = 256,
       .window = 512,
       .splits = 3,
       .positions = {150}},
      {.name = "of_270m_in_f32", .head_dim = 256, .positions = {65}},
      {.name = "many_rows",
       .heads = 2,
       .head_dim = 8,
       .window = 4,
       .positions = std::vector<std::int32_t>(256, 5)},
  };
}

class Attention : public ::testing::TestWithParam<AttentionCase> {};

TEST_P(Attention, SeesItsKeys) {
  const AttentionCase& c = GetParam();
  Device device(c.type);
  device.is_reversed = c.is_reversed;
  AttentionSetup setup{.heads = c.heads,
                       .kv_heads = c.kv_heads,
                       .head_dim = c.head_dim,
                       .window = c.window,
                       .splits = c.splits,
                       .positions = c.positions,
                       .pick = c.pick};
  for (std::size_t i = 0; i < c.positions.size(); ++i) {
    setup.slots.push_back(
        static_cast<std::int32_t>(c.positions.size() - 1 - i));
  }
  const AttentionParams p = make_attention(device, setup);
  const Geometry shape = geometry(p, c.type);
  // With splits twice: the tickets are ready for the next launch.
  for (int launch = 0; launch < (c.splits > 1 ? 2 : 1); ++launch) {
    device.launch(device.kernels().attention, shape, p);
    for (int row = 0; row < p.rows; ++row) {
      expect_attention(device, p, row, /*is_rounded=*/false);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Attention, ::testing::ValuesIn(attention_cases()),
                         [](const auto& test) { return test.param.name; });

TEST(AttentionScores, OfAnySizeOverflowNothing) {
  Device device(NumberType::kF32);
  // Two keys whose scores are 4e4 apart, and an answer that is the larger's.
  const std::vector<float> numbers{200, -200};
  AttentionParams p;
  p.rows = p.heads = p.kv_heads = 1;
  p.head_dim = 8;
  p.splits = 2;
  float* q = device.floats(8, "q");
  std::fill_n(q, 8, 100.0F);
  p.q = q;
  p.positions = device.ints({17}, "positions");
  p.slots = device.ints({0}, "slots");
  p.cache = {
      .pool = nullptr, .table = device.ints({0}, "table"), .table_stride = 1};
  float* pool = device.floats(2 * kPageTokens * 8, "pool", 0);
  for (int key = 0; key < 18; ++key) {
    std::fill_n(pool + key * 8, 8, numbers[key == 17 ? 0 : 1]);
    std::fill_n(pool + (kPageTokens + key) * 8, 8, key == 17 ? 7.0F : 1.0F);
  }
  p.cache.pool = pool;
  p.out = device.empty_acts(8, "out");
  p.partial = device.empty_floats(attention_partial_floats(p), "partial");
  p.tickets = device.zeros(1, "tickets");
  device.launch(device.kernels().attention, geometry(p, device.type()), p);
  EXPECT_EQ(device.number(p.out, 3), 7);
}

}  // namespace
}  // namespace penstock::gemma::cuda
