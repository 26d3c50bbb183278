// The kernels of the vocabulary head, against plain double arithmetic.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include "tests/plugins/lib/kernels/levels.h"

namespace penstock::kernels {
namespace {

class Screen : public Levels {};
INSTANTIATE_TEST_SUITE_P(Isa, Screen, ::testing::ValuesIn(all_levels()));

TEST_P(Screen, RoundToAStep) {
  Random random(6);
  const auto x = random.normals(96);
  for (const float step : {0.25F, 0.0F}) {
    std::vector<std::int8_t> q(x.size());
    float left = 0;
    float held = 0;
    table_->round_to(x.data(), 96, step, -8, 7, q.data(), &left, &held);
    double missing = 0;
    double present = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const float code = step > 0 ? std::nearbyint(x[i] / step) : 0;
      ASSERT_EQ(q[i], std::clamp(code, -8.0F, 7.0F)) << x[i];
      const double number = static_cast<double>(q[i]) * step;
      missing += (x[i] - number) * (x[i] - number);
      present += number * number;
    }
    EXPECT_GE(left, std::sqrt(missing));
    EXPECT_LE(left, std::sqrt(missing) * 1.002);
    EXPECT_GE(held, std::sqrt(present));
    EXPECT_LE(held, std::sqrt(present) * 1.002);
  }
}

/// Planes of two panels, and hidden states, whose codes are random.
void screen(const Kernels& table, std::int64_t columns, std::int64_t fine,
            std::int64_t n) {
  Random random(7);
  ScreenPanels planes{.rows = 2 * kPanel, .columns = columns, .fine = fine};
  planes.panel_bytes = kPanel * (4 + fine + (columns - fine) / 2);
  std::vector<std::uint8_t> data(
      static_cast<std::size_t>(2 * planes.panel_bytes));
  for (auto& byte : data) byte = random.byte();
  const auto row_scales = random.normals(2 * kPanel);
  for (std::int64_t p = 0; p < 2; ++p) {
    std::memcpy(data.data() + p * planes.panel_bytes,
                row_scales.data() + p * kPanel, kPanel * 4);
  }
  planes.data = data.data();
  std::vector<std::int8_t> q(static_cast<std::size_t>(n * columns));
  for (auto& code : q) {
    code = static_cast<std::int8_t>(std::max(random.byte() - 128, -127));
  }
  const std::int64_t segments = planes.segments();
  const auto scales = random.normals(static_cast<std::size_t>(n * segments));
  const auto constants = random.normals(static_cast<std::size_t>(n));
  const auto segment_of = [&](std::int64_t k) {
    return k < fine ? k / 32 : fine / 32 + (k - fine) / 128;
  };
  std::vector<std::int32_t> minus_sums(static_cast<std::size_t>(n * segments));
  std::vector<double> wanted(static_cast<std::size_t>(n * 2 * kPanel));
  std::vector<double> sizes(wanted.size());  // of all that is added up
  for (std::int64_t r = 0; r < n; ++r) {
    for (std::int64_t k = 0; k < columns; ++k) {
      const auto x = std::int32_t{q[static_cast<std::size_t>(r * columns + k)]};
      const auto at = static_cast<std::size_t>(r * segments + segment_of(k));
      minus_sums[at] -= x;
      for (std::int64_t o = 0; o < 2 * kPanel; ++o) {
        const std::uint8_t* codes =
            data.data() + o / kPanel * planes.panel_bytes + kPanel * 4;
        const std::int64_t lane = o % kPanel * 4 + k % 4;
        int code = 0;
        if (k < fine) {
          code = codes[k / 4 * 64 + lane] - 128;
        } else {
          const std::int64_t c = k - fine;
          const int both =
              codes[fine * kPanel + c / 32 * 256 + c % 16 / 4 * 64 + lane];
          code = (c % 32 < 16 ? both & 15 : both >> 4) - 8;
        }
        const double product = static_cast<double>(scales[at]) * code * x;
        wanted[static_cast<std::size_t>(r * 2 * kPanel + o)] += product;
        sizes[static_cast<std::size_t>(r * 2 * kPanel + o)] +=
            std::fabs(product);
      }
    }
  }
  const ScreenActivations x{.q = q.data(),
                            .scales = scales.data(),
                            .minus_sums = minus_sums.data(),
                            .constants = constants.data()};
  std::vector<float> got(wanted.size());
  table.screen(planes, 0, 2, x, n, got.data(), 2 * kPanel);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto row = i / (2 * kPanel);
    const double scale = row_scales[i % (2 * kPanel)];
    ASSERT_NEAR(got[i], wanted[i] * scale + constants[row],
                1e-6 * (sizes[i] * std::fabs(scale) + 1))
        << columns << " columns, " << fine << " fine, row " << row;
  }
}

TEST_P(Screen, ScreenHiddenStates) {
  for (const std::int64_t n : {1, 2, 7, 16, 17}) {
    screen(*table_, 32, 32, n);
    screen(*table_, 64, 32, n);
    screen(*table_, 352, 96, n);
  }
}

TEST_P(Screen, FindWhatReachesAFloor) {
  Random random(4);
  const auto values = random.normals(75);
  const std::vector<std::uint16_t> bounds(75, 0x3E80);  // 0.25
  const std::array<const std::uint16_t*, Kernels::kBounds> lengths{
      bounds.data(), bounds.data(), bounds.data(), bounds.data()};
  const std::array<float, Kernels::kBounds> factors{1, 1, 1, 1};
  for (std::int64_t begin = 0; begin < 75; ++begin) {
    for (const float floor : {-9.0F, 0.5F, 1.5F, 99.0F}) {
      std::int64_t plain = begin;
      while (plain < 75 && values[static_cast<std::size_t>(plain)] < floor)
        ++plain;
      std::int64_t near = begin;
      while (near < 75 && values[static_cast<std::size_t>(near)] + 1 < floor)
        ++near;
      EXPECT_EQ(table_->find_at_least(values.data(), floor, begin, 75), plain);
      EXPECT_EQ(table_->find_reaching(values.data(), lengths.data(),
                                      factors.data(), floor, begin, 75),
                near);
    }
  }
}

}  // namespace
}  // namespace penstock::kernels
