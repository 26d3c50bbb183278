#include "gemma/cuda/screen_codes.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "gemma/cuda/shapes.h"

namespace penstock::gemma::cuda {
namespace {

static_assert(kPanelRows == kWarpThreads);
constexpr float kMostByte = 127;
/// A row of numbers below this becomes zeros, and its bound its length.
constexpr float kLeastNumber = 1e-30F;

std::int64_t on_256(std::int64_t bytes) { return (bytes + 255) / 256 * 256; }

/// Of a row: how much of what is multiplied may be lost.
struct Lengths {
  double all = 0, codes = 0, lost = 0;
};

/// As the header says; float sums have columns / 32 + 16 numbers one after the
/// other, and some more roundings are in what the codes give.
float bound_of(const Lengths& row, std::int64_t columns) {
  const auto n = static_cast<double>(columns);
  const double longest = std::max(row.all, row.codes);
  const double states = 0.51 * std::sqrt(n) / static_cast<double>(kMostCode);
  const double rounding = (n / 32 + 64) * 0x1.2p-24;
  const double bound = row.lost + longest * (states + rounding);
  return std::nextafter(static_cast<float>(bound * 1.0001),
                        std::numeric_limits<float>::max());
}

/// Of columns [0, columns) of a row; column 16 c + i goes to
/// to[c * 32 * 16 + i]. Returns the scale.
float code_columns(std::span<const float> row, std::byte* to,
                   Lengths& lengths) {
  float most = 0;
  for (const float number : row) most = std::max(most, std::fabs(number));
  const float scale = most < kLeastNumber ? 0 : most / kMostByte;
  const float inverse = scale > 0 ? 1 / scale : 0;
  Lengths squares;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const float code = std::nearbyint(row[i] * inverse);
    const double number = row[i];
    const double coded = static_cast<double>(code) * scale;
    squares.all += number * number;
    squares.codes += coded * coded;
    squares.lost += (number - coded) * (number - coded);
    const std::size_t unit = i / kScreenColumns;
    to[unit * kPanelRows * kScreenColumns + i % kScreenColumns] =
        static_cast<std::byte>(static_cast<std::int8_t>(code));
  }
  lengths = {std::sqrt(squares.all), std::sqrt(squares.codes),
             std::sqrt(squares.lost)};
  return scale;
}

}  // namespace

std::int64_t ScreenPlan::panels() const {
  return (rows + kPanelRows - 1) / kPanelRows;
}

std::int64_t ScreenPlan::scales_at() const {
  return on_256(panels() * panel_bytes());
}

std::int64_t ScreenPlan::bounds_at() const {
  return scales_at() + on_256(panels() * kPanelRows * 4);
}

std::int64_t ScreenPlan::bytes() const {
  return bounds_at() + on_256(panels() * kPanelRows * 4);
}

ScreenCodes ScreenPlan::codes(const std::byte* begin, float longest) const {
  return {.codes = reinterpret_cast<const std::uint32_t*>(begin),
          .scales = reinterpret_cast<const float*>(begin + scales_at()),
          .bounds = reinterpret_cast<const float*>(begin + bounds_at()),
          .longest = longest};
}

float screen_panels(const ScreenPlan& plan, const WeightTensor& from,
                    std::int64_t begin, std::int64_t end,
                    const ScreenedPanels& to) {
  const auto columns = static_cast<std::size_t>(plan.columns);
  std::vector<std::uint16_t> numbers(columns);
  std::vector<float> row(columns);
  double longest = 0;
  for (std::int64_t r = begin * kPanelRows; r < end * kPanelRows; ++r) {
    const std::int64_t at = r - begin * kPanelRows;
    std::byte* const codes = to.codes + at / kPanelRows * plan.panel_bytes() +
                             at % kPanelRows * kScreenColumns;
    if (r < plan.rows) {
      dequantize_bf16(from, r, r + 1, numbers);
      std::transform(numbers.begin(), numbers.end(), row.begin(),
                     [](std::uint16_t bits) {
                       return std::bit_cast<float>(std::uint32_t{bits} << 16U);
                     });
    } else {
      std::fill(row.begin(), row.end(), 0.0F);
    }
    Lengths lengths;
    to.scales[at] = code_columns(row, codes, lengths);
    to.bounds[at] = bound_of(lengths, plan.columns);
    longest = std::max({longest, lengths.all, lengths.codes});
  }
  return static_cast<float>(longest * 1.0001);
}

}  // namespace penstock::gemma::cuda
