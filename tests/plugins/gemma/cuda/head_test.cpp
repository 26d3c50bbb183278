// The head and what is chosen of its scores against plain loops: head, scan and
// select, with masks, wanted tokens, all scores, norms and the best k.
#include <algorithm>
#include <cmath>
#include <limits>
#include <ostream>

#include "tests/plugins/gemma/cuda/coded.h"
#include "tests/plugins/gemma/cuda/place_reference.h"
#include "tests/plugins/gemma/cuda/support.h"

namespace penstock::gemma::cuda {
namespace {

constexpr float kLeast = -std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

struct HeadCase {
  std::string name;
  NumberType type = NumberType::kF32;
  int rows = 1, vocab = 100, hidden = 16, k = 1, blocks = 3;
  bool has_masks = false, has_full = true, has_norm = true;
  bool is_reversed = false;
  bool has_empty = false;  ///< each second row, from the first one
  std::string gguf = {};   ///< type of the weights; empty: `type`

  [[nodiscard]] bool is_empty(int row) const {
    return has_empty && row % 2 == 0;
  }
};
void PrintTo(const HeadCase& c, std::ostream* os) { *os << c.name; }

std::vector<HeadCase> head_cases() {
  constexpr auto kBf16 = NumberType::kBf16;
  return {
      {.name = "one_row"},
      {.name = "one_token", .vocab = 1, .k = 3, .blocks = 1},
      {.name = "blocks_without_tokens", .vocab = 33, .k = 40, .blocks = 5},
      {.name = "all_best", .rows = 2, .vocab = 70, .k = 64, .blocks = 2},
      {.name = "no_best", .k = 0},
      {.name = "masks", .rows = 5, .k = 4, .has_masks = true},
      {.name = "masks_of_bf16",
       .type = kBf16,
       .rows = 8,
       .vocab = 131,
       .k = 64,
       .has_masks = true,
       .is_reversed = true},
      {.name = "best_alone",
       .type = kBf16,
       .rows = 3,
       .vocab = 1000,
       .hidden = 24,
       .k = 9,
       .blocks = 7,
       .has_full = false,
       .has_norm = false},
      {.name = "many_blocks", .vocab = 9000, .k = 2, .blocks = 270},
      {.name = "many_of_many", .vocab = 9000, .k = kMostBest, .blocks = 270},
      {.name = "many_of_large_blocks",
       .vocab = 3000,
       .k = kMostBest,
       .blocks = 2},
      {.name = "two_tiles", .rows = 11, .k = 2},
      {.name = "empty_rows", .rows = 3, .k = 2, .has_empty = true},
      {.name = "many_of_empty_rows",
       .type = kBf16,
       .rows = 11,
       .vocab = 700,
       .k = kMostBest,
       .blocks = 2,
       .has_masks = true,
       .is_reversed = true,
       .has_empty = true},
      {.name = "int8",
       .type = kBf16,
       .rows = 1,
       .vocab = 301,
       .hidden = 96,
       .k = 4,
       .blocks = 2,
       .gguf = "Q8_0"},
      {.name = "int4",
       .type = kBf16,
       .rows = 3,
       .vocab = 77,
       .hidden = 1056,
       .is_reversed = true,
       .gguf = "Q4_0"},
      {.name = "k_int8", .type = kBf16, .hidden = 256, .gguf = "Q6_K"},
      {.name = "int8_of_seven_rows",
       .type = kBf16,
       .rows = 7,
       .vocab = 90,
       .hidden = 32,
       .gguf = "Q8_0"},
  };
}

/// Bits of what may come; every third row may anything, one nothing.
struct Masks {
  std::vector<std::uint32_t> words;
  std::vector<std::int32_t> rows;
  int vocab;

  Masks(int rows_count, int vocab_size) : vocab(vocab_size) {
    const int each = (vocab + 31) / 32;
    for (int row = 0; row < rows_count; ++row) {
      rows.push_back(row % 3 == 2 ? -1 : row % 2);
    }
    for (int i = 0; i < each; ++i) {
      words.push_back(0x80010105U << (i % 3));
    }
    words.resize(static_cast<std::size_t>(2 * each));  // row 1: nothing
  }
  [[nodiscard]] bool allows(int row, int token) const {
    const int mask = rows[static_cast<std::size_t>(row)];
    if (mask < 0) return true;
    const int each = (vocab + 31) / 32;
    const std::uint32_t word =
        words[static_cast<std::size_t>(mask * each + token / 32)];
    return (word >> (token % 32) & 1U) != 0;
  }
};

class Heads : public ::testing::TestWithParam<HeadCase> {
 protected:
  Heads()
      : device_(GetParam().type), masks_(GetParam().rows, GetParam().vocab) {
    device_.is_reversed = GetParam().is_reversed;
  }
  Choice make_choice();
  SelectParams select(const Choice& choice);
  static void expect_chosen(const Choice& choice, const SelectParams& found,
                            const std::vector<float>& scores);
  static void expect_norm(const SelectParams& found, int row,
                          const float* scores);
  static void expect_best(const SelectParams& found, int row,
                          const float* scores);
  static void expect_none(const SelectParams& found, int row);

  Device device_;
  Masks masks_;
};

Choice Heads::make_choice() {
  const HeadCase& c = GetParam();
  Choice choice;
  choice.vocab = c.vocab;
  choice.k = c.k;
  choice.blocks = c.blocks;
  const std::int64_t parts = std::int64_t{c.rows} * c.blocks;
  choice.best = reinterpret_cast<std::uint64_t*>(
      device_.empty_floats(parts * std::max(c.k, 1) * 2, "best"));
  if (c.has_norm) choice.sums = device_.empty_floats(parts * 2, "sums");
  if (c.has_full) {
    choice.full = device_.empty_floats(std::int64_t{c.rows} * c.vocab, "full");
  }
  if (c.has_masks) {
    const std::vector<std::int32_t> words(masks_.words.begin(),
                                          masks_.words.end());
    choice.masks =
        reinterpret_cast<std::uint32_t*>(device_.ints(words, "masks"));
    choice.mask_rows = device_.ints(masks_.rows, "mask_rows");
  }
  if (c.has_empty) {
    std::vector<std::int32_t> scored;
    for (int row = 0; row < c.rows; ++row) {
      scored.push_back(c.is_empty(row) ? -1 : row);
    }
    choice.scored = device_.ints(scored, "scored");
  }
  choice.wanted = 3;
  std::vector<std::int32_t> wanted;
  for (int row = 0; row < c.rows; ++row) {
    wanted.insert(wanted.end(), {c.vocab - 1, -1, row % c.vocab});
  }
  choice.wanted_ids = device_.ints(wanted, "wanted_ids");
  choice.wanted_scores =
      device_.empty_floats(std::int64_t{c.rows} * 3, "wanted_scores");
  return choice;
}

SelectParams Heads::select(const Choice& choice) {
  const HeadCase& c = GetParam();
  SelectParams p;
  p.best = choice.best;
  p.sums = choice.sums;
  p.rows = c.rows;
  p.blocks = choice.blocks;
  p.k = choice.k;
  const std::int64_t count = std::int64_t{c.rows} * std::max(c.k, 1);
  p.ids = device_.ints(
      std::vector<std::int32_t>(static_cast<std::size_t>(count)), "ids");
  p.values = device_.empty_floats(count, "values");
  if (c.has_norm) p.norm = device_.empty_floats(c.rows, "norm");
  device_.launch(device_.kernels().select, geometry(p), p);
  return p;
}

void Heads::expect_norm(const SelectParams& found, int row,
                        const float* scores) {
  const int vocab = GetParam().vocab;
  const float most = *std::max_element(scores, scores + vocab);
  double sum = 0;
  for (int i = 0; i < vocab; ++i) sum += std::exp(double{scores[i]} - most);
  if (most == kLeast) {
    EXPECT_EQ(found.norm[row], kLeast);
  } else {
    EXPECT_NEAR(found.norm[row], most + std::log(sum), 1e-5);
  }
}

/// Scores as the kernel has them, so that what is chosen must be exact.
void Heads::expect_best(const SelectParams& found, int row,
                        const float* scores) {
  std::vector<int> order;
  for (int i = 0; i < GetParam().vocab; ++i) {
    if (scores[i] != kLeast) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return scores[a] > scores[b]; });
  for (int i = 0; i < found.k; ++i) {
    const int at = row * found.k + i;
    if (i < std::ssize(order)) {
      const int want = order[static_cast<std::size_t>(i)];
      ASSERT_EQ(found.ids[at], want) << "row " << row << ", place " << i;
      ASSERT_EQ(found.values[at], scores[want]);
    } else {
      ASSERT_EQ(found.ids[at], -1) << "row " << row << ", place " << i;
      ASSERT_EQ(found.values[at], kLeast);
    }
  }
}

/// Neither of its scores, which here are not even alike.
void Heads::expect_none(const SelectParams& found, int row) {
  for (int i = row * found.k; i < (row + 1) * found.k; ++i) {
    ASSERT_EQ(found.ids[i], -1) << "row " << row;
    ASSERT_EQ(found.values[i], kLeast);
  }
  if (GetParam().has_norm) {
    EXPECT_EQ(found.norm[row], kLeast);
  }
}

void Heads::expect_chosen(const Choice& choice, const SelectParams& found,
                          const std::vector<float>& scores) {
  const HeadCase& c = GetParam();
  for (int row = 0; row < c.rows; ++row) {
    if (c.is_empty(row)) {
      expect_none(found, row);
      continue;
    }
    const float* mine = scores.data() + row * c.vocab;
    for (int i = 0; i < 3; ++i) {
      const int token = choice.wanted_ids[row * 3 + i];
      if (token < 0) continue;
      EXPECT_EQ(choice.wanted_scores[row * 3 + i], mine[token]);
    }
    if (c.has_norm) expect_norm(found, row, mine);
    expect_best(found, row, mine);
  }
}

TEST_P(Heads, ScoreAndChoose) {
  const HeadCase& c = GetParam();
  HeadParams p;
  p.in = make_residual(device_, {.rows = c.rows, .hidden = c.hidden});
  const Numbers weight = make_matrix(device_, c.gguf, c.vocab, c.hidden);
  p.weight = weight.matrix;
  p.choice = make_choice();
  const auto& kernel = device_.kernels().of(weight.matrix.format).head;
  device_.launch(kernel, geometry(p, c.type), p);
  const SelectParams found = select(p.choice);

  expect_kept(p.in);
  if (!c.has_full) {
    // Another launch says what the scores are.
    p.choice.full =
        device_.empty_floats(std::int64_t{c.rows} * c.vocab, "full");
    device_.launch(kernel, geometry(p, c.type), p);
  }
  for (int row = 0; row < c.rows; ++row) {
    if (c.is_empty(row)) continue;
    const auto state = normed(p.in, row).normed;
    for (int i = 0; i < c.vocab; ++i) {
      const float got = p.choice.full[row * c.vocab + i];
      if (c.has_masks && !masks_.allows(row, i)) {
        ASSERT_EQ(got, kLeast) << "row " << row << ", token " << i;
      } else {
        const Near want = dot(device_, state, weight, i);
        ASSERT_NEAR(want.value, got, want.bound(c.type));
      }
    }
  }
  expect_chosen(p.choice, found,
                {p.choice.full, p.choice.full + c.rows * c.vocab});
}

TEST_P(Heads, ScanChooses) {
  const HeadCase& c = GetParam();
  ScanParams p;
  p.rows = c.rows;
  float* scores = device_.floats(std::int64_t{c.rows} * c.vocab, "scores", 20);
  // Some are alike: the lower id is the better then.
  for (int i = 0; i < c.rows * c.vocab; ++i) scores[i] = std::trunc(scores[i]);
  p.scores = scores;
  p.choice = make_choice();
  p.choice.full = scores;  // in place
  std::vector<float> want(scores, scores + c.rows * c.vocab);
  for (int row = 0; row < c.rows; ++row) {
    for (int i = 0; i < c.vocab; ++i) {
      if (c.has_masks && !c.is_empty(row) && !masks_.allows(row, i)) {
        want[static_cast<std::size_t>(row * c.vocab + i)] = kLeast;
      }
    }
  }
  Device other(NumberType::kBf16);
  device_.launch(other.kernels().scan, geometry(p), p);
  const SelectParams found = select(p.choice);
  for (std::size_t i = 0; i < want.size(); ++i) EXPECT_EQ(scores[i], want[i]);
  expect_chosen(p.choice, found, want);
}

INSTANTIATE_TEST_SUITE_P(All, Heads, ::testing::ValuesIn(head_cases()),
                         [](const auto& test) { return test.param.name; });

TEST(Scan, LetsNansBeSeen) {
  Device device(NumberType::kBf16);
  ScanParams p;
  p.rows = 1;
  float* scores = device.floats(64, "scores");
  scores[40] = -kNan;
  scores[50] = std::numeric_limits<float>::infinity();
  p.scores = scores;
  p.choice.vocab = 64;
  p.choice.k = 2;
  p.choice.blocks = 2;
  p.choice.best =
      reinterpret_cast<std::uint64_t*>(device.empty_floats(8, "best"));
  p.choice.sums = device.empty_floats(4, "sums");
  device.launch(device.kernels().scan, geometry(p), p);
  SelectParams s{.best = p.choice.best, .sums = p.choice.sums};
  s.rows = 1;
  s.blocks = s.k = 2;
  s.ids = device.ints({0, 0}, "ids");
  s.values = device.empty_floats(2, "values");
  s.norm = device.empty_floats(1, "norm");
  device.launch(device.kernels().select, geometry(s), s);
  EXPECT_EQ(s.ids[0], 40);
  EXPECT_TRUE(std::isnan(s.values[0]));
  EXPECT_EQ(s.ids[1], 50);
  EXPECT_TRUE(std::isnan(s.norm[0]));
}

/// So many equal scores that none of the short ways does.
TEST(Scan, TakesEqualScoresInTurns) {
  Device device(NumberType::kBf16);
  constexpr int kVocab = 2000;
  ScanParams p;
  p.rows = 1;
  float* scores = device.floats(kVocab, "scores", 0);
  p.scores = scores;
  p.choice.vocab = kVocab;
  p.choice.k = kMostBest;
  p.choice.blocks = 3;
  p.choice.best = reinterpret_cast<std::uint64_t*>(
      device.empty_floats(3 * kMostBest * 2, "best"));
  device.launch(device.kernels().scan, geometry(p), p);
  SelectParams s{.best = p.choice.best};
  s.rows = 1;
  s.blocks = 3;
  s.k = kMostBest;
  s.ids = device.ints(std::vector<std::int32_t>(kMostBest), "ids");
  s.values = device.empty_floats(kMostBest, "values");
  device.launch(device.kernels().select, geometry(s), s);
  for (int i = 0; i < kMostBest; ++i) EXPECT_EQ(s.ids[i], i);
}

TEST(PackedScores, AreOrderedAsScoresThenTokens) {
  const std::vector<float> rising{
      kLeast,  -1e30F, -1, -1e-40F,
      0,       1e-40F, 1,  std::numeric_limits<float>::max(),
      -kLeast, kNan};
  for (std::size_t i = 0; i < rising.size(); ++i) {
    const std::uint64_t packed = pack_score(rising[i], 3);
    EXPECT_GT(pack_score(rising[i], 2), packed);
    EXPECT_EQ(packed_token(packed), 3);
    EXPECT_NE(packed, 0U);
    if (i + 1 == rising.size()) continue;
    EXPECT_EQ(packed_score(packed), rising[i]);
    EXPECT_GT(pack_score(rising[i + 1], 262143), pack_score(rising[i], 0));
  }
  EXPECT_TRUE(std::isnan(packed_score(pack_score(-kNan, 0))));
}

}  // namespace
}  // namespace penstock::gemma::cuda
