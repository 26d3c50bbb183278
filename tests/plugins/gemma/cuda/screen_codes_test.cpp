// The head's weights as codes that it is screened by: where they lie, and that
// a score by them is as near as its bound says.
#include "gemma/cuda/screen_codes.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <span>

#include "lib/gpu/block.h"
#include "tests/plugins/gemma/cuda/support.h"

namespace penstock::gemma::cuda {
namespace {

using gpu::Bf16;

/// Weights of 50 rows, two panels, and their codes.
class ScreenedWeights : public ::testing::Test {
 protected:
  static constexpr std::int64_t kCount = 50, kWidth = 96;

  ScreenedWeights() : device_(NumberType::kBf16) {
    weights_ =
        static_cast<Bf16*>(device_.weights(kCount * kWidth, "weights", 3));
    for (int i = 0; i < kWidth; ++i) weights_[7 * kWidth + i] = {0};
    weights_[9 * kWidth + 5] = gpu::from_float<Bf16>(1e5F);
    memory_.resize(static_cast<std::size_t>(plan_.bytes()));
    float longest = 0;
    for (const int panel : {1, 0}) longest = std::max(longest, pack(panel));
    codes_ = plan_.codes(memory_.data(), longest);
  }
  float pack(int panel) {
    const WeightTensor tensor{.name = "output",
                              .type = WeightType::kBF16,
                              .shape = {kCount, kWidth},
                              .data = std::as_bytes(std::span(
                                  weights_, std::size_t{kCount * kWidth}))};
    const auto floats = [&](std::int64_t at) {
      return reinterpret_cast<float*>(memory_.data() + at) + panel * 32;
    };
    return screen_panels(plan_, tensor, panel, panel + 1,
                         {.codes = memory_.data() + panel * plan_.panel_bytes(),
                          .scales = floats(plan_.scales_at()),
                          .bounds = floats(plan_.bounds_at())});
  }
  [[nodiscard]] double weight(std::int64_t row, std::int64_t column) const {
    return gpu::to_float(weights_[row * kWidth + column]);
  }
  /// A row's code of a column, as the kernels find it.
  [[nodiscard]] int code(std::int64_t row, std::int64_t column) const {
    const std::int64_t unit = row / 32 * (kWidth / 16) + column / 16;
    return reinterpret_cast<const std::int8_t*>(
        codes_.codes)[(unit * 32 + row % 32) * 16 + column % 16];
  }

  Device device_;
  ScreenPlan plan_{.rows = kCount, .columns = kWidth};
  Bf16* weights_;
  std::vector<std::byte> memory_;
  ScreenCodes codes_;
};

TEST_F(ScreenedWeights, AreNearestCodes) {
  for (std::int64_t row = 0; row < kCount; ++row) {
    const double scale = codes_.scales[row];
    int most = 0;
    for (std::int64_t i = 0; i < kWidth; ++i) {
      most = std::max(most, std::abs(code(row, i)));
      ASSERT_NEAR(scale * code(row, i), weight(row, i), 0.501 * scale)
          << "row " << row << ", column " << i;
    }
    EXPECT_EQ(most, row == 7 ? 0 : 127) << "row " << row;
  }
  for (std::int64_t row = kCount; row < 64; ++row) {
    EXPECT_EQ(codes_.scales[row], 0) << "beyond the vocabulary";
    EXPECT_EQ(code(row, 3), 0);
  }
}

/// A hidden state along what a row's codes lost is multiplied by all of it: no
/// bound may be less, and this one is hardly more.
TEST_F(ScreenedWeights, AreAsNearAsTheirBoundsSay) {
  for (std::int64_t row = 0; row < kCount; ++row) {
    double lost = 0;
    double length = 0;
    for (std::int64_t i = 0; i < kWidth; ++i) {
      const double coded = double{codes_.scales[row]} * code(row, i);
      lost = std::hypot(lost, weight(row, i) - coded);
      length = std::hypot(length, weight(row, i));
    }
    EXPECT_GT(codes_.bounds[row], lost);
    EXPECT_LE(codes_.bounds[row], lost * 1.001 + 2e-4 * length + 1e-30);
    EXPECT_LE(length, codes_.longest);
  }
}

}  // namespace
}  // namespace penstock::gemma::cuda
