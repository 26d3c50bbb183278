// The screened head against the head that reads all numbers, to the bit: what
// is best of rows and weights of all kinds; and its bounds against sums in
// double.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <span>

#include "gemma/cuda/screen_codes.h"
#include "lib/gpu/block.h"
#include "penstock/error.h"
#include "tests/plugins/gemma/cuda/screen_cases.h"
#include "tests/plugins/gemma/cuda/support.h"

namespace penstock::gemma::cuda {
namespace {

using gpu::Bf16;
using gpu::from_float;

constexpr float kInf = std::numeric_limits<float>::infinity();

/// What both ways answer.
struct Chosen {
  std::vector<std::int32_t> ids;
  std::vector<std::uint32_t> values, wanted;  ///< bits of floats
};

class Screens : public ::testing::TestWithParam<ScreenCase> {
 protected:
  Screens() : device_(NumberType::kBf16) {
    device_.is_reversed = GetParam().is_reversed;
  }
  [[nodiscard]] Residual make_rows();
  void make_weights();
  [[nodiscard]] Choice make_choice();
  [[nodiscard]] ScreenedParams make(const Choice& choice);
  [[nodiscard]] Chosen select(const Choice& choice);
  [[nodiscard]] Chosen by_head(const ScreenedParams& p);
  [[nodiscard]] Chosen by_screen(const ScreenedParams& p);

  Device device_;
  Bf16* weights_ = nullptr;
  ScreenCodes codes_;
};

Residual Screens::make_rows() {
  const ScreenCase& c = GetParam();
  Residual in = make_residual(
      device_,
      {.rows = c.rows, .hidden = c.hidden, .has_y = false, .x_rows = c.x_rows});
  auto* const x = const_cast<float*>(in.x);
  auto* const norm = const_cast<float*>(in.weight);
  const int rows = c.x_rows.empty() ? c.rows : 2;
  for (int i = 0; c.x && i < rows * c.hidden; ++i) {
    x[i] = c.x(i / c.hidden, i % c.hidden, x[i]);
  }
  for (int i = 0; i < c.hidden; ++i) norm[i] *= c.norm;
  return in;
}

void Screens::make_weights() {
  const ScreenCase& c = GetParam();
  const std::int64_t count = std::int64_t{c.vocab} * c.hidden;
  weights_ = static_cast<Bf16*>(device_.weights(count, "weights"));
  for (int i = 0; c.weights && i < count; ++i) {
    weights_[i] = from_float<Bf16>(
        c.weights(i / c.hidden, i % c.hidden, gpu::to_float(weights_[i])));
  }
  const ScreenPlan plan{.rows = c.vocab, .columns = c.hidden};
  auto* const codes =
      static_cast<std::byte*>(device_.empty(plan.bytes(), "codes"));
  device_.set_written(codes, plan.panels() * plan.panel_bytes());
  device_.set_written(codes + plan.scales_at(), plan.panels() * 32 * 4);
  device_.set_written(codes + plan.bounds_at(), plan.panels() * 32 * 4);
  const WeightTensor tensor{.name = "output",
                            .type = WeightType::kBF16,
                            .shape = {c.vocab, c.hidden},
                            .data = std::as_bytes(std::span(
                                weights_, static_cast<std::size_t>(count)))};
  const float longest = screen_panels(
      plan, tensor, 0, plan.panels(),
      {.codes = codes,
       .scales = reinterpret_cast<float*>(codes + plan.scales_at()),
       .bounds = reinterpret_cast<float*>(codes + plan.bounds_at())});
  codes_ = plan.codes(codes, longest);
}

Choice Screens::make_choice() {
  const ScreenCase& c = GetParam();
  Choice choice;
  choice.vocab = c.vocab;
  choice.k = c.k;
  choice.blocks = c.blocks;
  if (c.has_masks) {
    // Of the first rows something, nothing and all; then so once more.
    const int each = (c.vocab + 31) / 32;
    std::vector<std::int32_t> words(static_cast<std::size_t>(2 * each));
    std::fill_n(words.begin(), each, 0x10014105);
    choice.masks =
        reinterpret_cast<std::uint32_t*>(device_.ints(words, "masks"));
    std::vector<std::int32_t> rows;
    for (int r = 0; r < c.rows; ++r) rows.push_back(r % 3 == 2 ? -1 : r % 3);
    choice.mask_rows = device_.ints(rows, "mask_rows");
  }
  choice.wanted = static_cast<std::int32_t>(c.wanted.size());
  std::vector<std::int32_t> wanted;
  for (int r = 0; r < c.rows; ++r) {
    wanted.insert(wanted.end(), c.wanted.begin(), c.wanted.end());
  }
  if (choice.wanted > 0) choice.wanted_ids = device_.ints(wanted, "wanted_ids");
  return choice;
}

ScreenedParams Screens::make(const Choice& choice) {
  const ScreenCase& c = GetParam();
  ScreenedParams p;
  p.head = {.in = make_rows(), .weight = {}, .choice = choice};
  make_weights();
  p.head.weight = weights_;
  p.codes = codes_;
  p.reach = device_.empty_floats(std::int64_t{c.rows} * c.vocab, "reach");
  p.lows =
      device_.empty_floats(std::int64_t{c.rows} * c.blocks * kLows, "lows");
  return p;
}

std::vector<std::uint32_t> bits_of(const float* from, std::int64_t count) {
  std::vector<std::uint32_t> out(static_cast<std::size_t>(count));
  if (count > 0) std::memcpy(out.data(), from, out.size() * 4);
  return out;
}

Chosen Screens::select(const Choice& choice) {
  const ScreenCase& c = GetParam();
  const std::int64_t count = std::int64_t{c.rows} * c.k;
  SelectParams p{.best = choice.best};
  p.rows = c.rows;
  p.blocks = c.blocks;
  p.k = c.k;
  p.ids = reinterpret_cast<std::int32_t*>(
      device_.empty_floats(std::max<std::int64_t>(count, 1), "ids"));
  p.values = device_.empty_floats(std::max<std::int64_t>(count, 1), "values");
  device_.launch(device_.kernels().select, geometry(p), p);
  return {{p.ids, p.ids + count},
          bits_of(p.values, count),
          bits_of(choice.wanted_scores, std::int64_t{c.rows} * choice.wanted)};
}

/// A place for the answers of one of the ways.
void give_answers(Device& device, Choice& choice, int rows) {
  const std::int64_t lists = std::int64_t{rows} * choice.blocks;
  choice.best = reinterpret_cast<std::uint64_t*>(
      device.empty_floats(lists * std::max(choice.k, 1) * 2, "best"));
  if (choice.wanted > 0) {
    choice.wanted_scores = device.empty_floats(
        std::int64_t{rows} * choice.wanted, "wanted_scores");
  }
}

Chosen Screens::by_head(const ScreenedParams& p) {
  HeadParams head = p.head;
  give_answers(device_, head.choice, GetParam().rows);
  device_.launch(device_.kernels().head, geometry(head, NumberType::kBf16),
                 head);
  return select(head.choice);
}

Chosen Screens::by_screen(const ScreenedParams& p) {
  ScreenedParams mine = p;
  give_answers(device_, mine.head.choice, GetParam().rows);
  device_.launch(device_.kernels().screen, screen_geometry(mine), mine);
  if (!GetParam().x && GetParam().norm == 1) expect_kept(mine.head.in);
  device_.launch(device_.kernels().refine, refine_geometry(mine), mine);
  return select(mine.head.choice);
}

TEST_P(Screens, AnswerAsTheHeadDoes) {
  const ScreenCase& c = GetParam();
  ASSERT_EQ(cannot_screen(c.vocab, c.hidden, c.blocks), nullptr);
  const ScreenedParams p = make(make_choice());
  const Chosen want = by_head(p);
  const Chosen got = by_screen(p);
  EXPECT_EQ(got.ids, want.ids);
  EXPECT_EQ(got.values, want.values);
  EXPECT_EQ(got.wanted, want.wanted);
}

/// All scores as the head sums them.
std::vector<float> all_scores(Device& device, const ScreenedParams& p) {
  HeadParams head = p.head;
  const std::int64_t count = std::int64_t{head.in.rows} * head.choice.vocab;
  head.choice.k = head.choice.wanted = 0;
  head.choice.full = device.empty_floats(count, "full");
  device.launch(device.kernels().head, geometry(head, NumberType::kBf16), head);
  return {head.choice.full, head.choice.full + count};
}

double length_of(const Residual& in, int row) {
  double squares = 0;
  for (int i = 0; i < in.hidden; ++i) {
    const double x =
        gpu::to_float(from_float<Bf16>(in.normed_out[row * in.hidden + i]));
    squares += x * x;
  }
  return std::sqrt(squares);
}

/// Each score is no more than its reach, which is no further off than it
/// should be.
void expect_reached(const ScreenedParams& p, int row, const float* scores) {
  const double length = length_of(p.head.in, row);
  for (int token = 0; token < p.head.choice.vocab; ++token) {
    const float reach = p.reach[row * p.head.choice.vocab + token];
    const std::string what = str("row ", row, ", token ", token);
    if (scores[token] == -kInf) {
      ASSERT_EQ(reach, -kInf) << what;
    } else if (reach < kInf) {
      const double off = p.codes.bounds[token] * length * 1.01 + 2e-30;
      ASSERT_LE(scores[token], reach) << what;
      ASSERT_LE(reach, scores[token] + 2 * off) << what;
    }
  }
}

/// What is between the two kernels.
TEST_P(Screens, BoundScores) {
  const ScreenCase& c = GetParam();
  const ScreenedParams p = make(make_choice());
  const std::vector<float> scores = all_scores(device_, p);
  device_.launch(device_.kernels().screen, screen_geometry(p), p);
  std::vector<float> best(static_cast<std::size_t>(c.rows * c.blocks * kLows),
                          -kInf);
  for (int row = 0; row < c.rows; ++row) {
    const float* const mine = scores.data() + row * c.vocab;
    expect_reached(p, row, mine);
    for (int token = 0; token < c.vocab; ++token) {
      const int part = (row * c.blocks + token / 32 % c.blocks) * kLows +
                       token % 32 / (32 / kLows);
      float& most = best[static_cast<std::size_t>(part)];
      most = std::isnan(mine[token]) ? kInf : std::max(most, mine[token]);
    }
  }
  for (std::size_t i = 0; i < best.size(); ++i) {
    ASSERT_LE(p.lows[i], best[i]) << "part " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Plain, Screens, ::testing::ValuesIn(plain_cases()),
                         [](const auto& test) { return test.param.name; });
INSTANTIATE_TEST_SUITE_P(Odd, Screens, ::testing::ValuesIn(odd_cases()),
                         [](const auto& test) { return test.param.name; });

/// Few are left of many: what else would it be for.
class ManyTokens : public Screens {};

TEST_P(ManyTokens, LeaveFew) {
  const ScreenCase& c = GetParam();
  const ScreenedParams p = make(make_choice());
  std::vector<float> scores = all_scores(device_, p);
  device_.launch(device_.kernels().screen, screen_geometry(p), p);
  std::nth_element(scores.begin(), scores.begin() + c.k - 1, scores.end(),
                   std::greater<>());
  const float floor = scores[static_cast<std::size_t>(c.k - 1)];
  const auto left = std::count_if(p.reach, p.reach + c.vocab,
                                  [&](float x) { return x >= floor; });
  EXPECT_GE(left, c.k);
  EXPECT_LE(left, 4 * c.k);
}

INSTANTIATE_TEST_SUITE_P(Some, ManyTokens,
                         ::testing::Values(ScreenCase{.name = "greedy",
                                                      .vocab = 4000,
                                                      .hidden = 640,
                                                      .blocks = 60},
                                           ScreenCase{.name = "top",
                                                      .vocab = 4000,
                                                      .hidden = 640,
                                                      .k = kMostBest,
                                                      .blocks = 60}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace penstock::gemma::cuda
