#include "silero/plot.h"

#include <algorithm>
#include <span>

#include "penstock/drawing.h"

namespace penstock::silero {
namespace {

constexpr double kLeft = 10, kTop = 10, kWidth = 1000;
constexpr double kSound = 120;  ///< height of the waveform
constexpr double kCurve = 80;   ///< height of the probability below it
constexpr std::int64_t kColumns = 1000;

/// Values of column `i` of kColumns.
template <class T>
std::span<const T> column(std::span<const T> values, std::int64_t i) {
  const auto size = static_cast<std::int64_t>(values.size());
  const std::int64_t from = i * size / kColumns;
  const std::int64_t to = std::max(from + 1, (i + 1) * size / kColumns);
  return values.subspan(static_cast<std::size_t>(from),
                        static_cast<std::size_t>(std::min(to, size) - from));
}

}  // namespace

std::string plot(const at::Tensor& waveform, std::int64_t rate,
                 const Heard& heard) {
  const auto sound = waveform.contiguous();
  const std::span<const float> samples(sound.const_data_ptr<float>(),
                                       static_cast<std::size_t>(sound.numel()));
  const std::span<const float> likely(heard.probabilities);
  Svg svg(kWidth + 2 * kLeft, kTop + kSound + kCurve + 40);
  const auto length =
      static_cast<double>(std::max<std::size_t>(1, samples.size()));
  for (const Segment& segment : heard.segments) {
    const double from = static_cast<double>(segment.begin) / length;
    const double to = static_cast<double>(segment.end) / length;
    svg.rect(kLeft + from * kWidth, kTop, (to - from) * kWidth, kSound + kCurve,
             "#cde8cd");
  }
  std::vector<std::pair<double, double>> curve;
  const double middle = kTop + kSound / 2;
  for (std::int64_t i = 0; i < kColumns; ++i) {
    const double x = kLeft + static_cast<double>(i) * kWidth / kColumns;
    if (!samples.empty()) {
      const auto part = column(samples, i);
      const auto [low, high] = std::minmax_element(part.begin(), part.end());
      svg.line(x, middle - *high * kSound / 2, x,
               middle - *low * kSound / 2 + 0.5, "#4472a8");
    }
    if (!likely.empty()) {
      const auto part = column(likely, i);
      const float most = *std::max_element(part.begin(), part.end());
      curve.emplace_back(x, kTop + kSound + kCurve * (1 - most));
    }
  }
  svg.curve(curve, "#b03030");
  svg.seconds(kLeft, kTop + kSound + kCurve, kWidth,
              static_cast<double>(samples.size()) / static_cast<double>(rate));
  return std::move(svg).take();
}

}  // namespace penstock::silero
