#include "image/crop.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/rot90.h>

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace penstock::image {
namespace {

struct Span {
  std::int64_t from = 0, size = 1;
};

/// Of a side of `most` pixels, those that [low, high] touches, at least one.
Span span_of(double low, double high, double margin, std::int64_t most) {
  const double more = (high - low) * margin;
  const auto last = static_cast<double>(most - 1);
  const auto from =
      static_cast<std::int64_t>(std::clamp(std::floor(low - more), 0.0, last));
  const auto to = static_cast<std::int64_t>(
      std::clamp(std::ceil(high + more), 0.0, static_cast<double>(most)));
  return {.from = from, .size = std::max<std::int64_t>(1, to - from)};
}

double distance(const cv::Point2f& a, const cv::Point2f& b) {
  return std::hypot(a.x - b.x, a.y - b.y);
}

}  // namespace

at::Tensor crop_box(const at::Tensor& pixels, const Extent& box,
                    double margin) {
  const Span across = span_of(box.left, box.right, margin, pixels.size(1));
  const Span down = span_of(box.top, box.bottom, margin, pixels.size(0));
  return pixels.narrow(0, down.from, down.size)
      .narrow(1, across.from, across.size)
      .contiguous();
}

at::Tensor crop_corners(const at::Tensor& pixels, const Corners& corners) {
  std::array<cv::Point2f, 4> from;
  for (std::size_t i = 0; i < 4; ++i) {
    from.at(i) = {corners.at(2 * i), corners.at(2 * i + 1)};
  }
  const int width =
      std::max(1, static_cast<int>(std::max(distance(from[0], from[1]),
                                            distance(from[2], from[3]))));
  const int height =
      std::max(1, static_cast<int>(std::max(distance(from[0], from[3]),
                                            distance(from[1], from[2]))));
  const auto right = static_cast<float>(width);
  const auto bottom = static_cast<float>(height);
  const std::array<cv::Point2f, 4> to{
      {{0, 0}, {right, 0}, {right, bottom}, {0, bottom}}};
  const at::Tensor source = pixels.contiguous();
  const cv::Mat picture(static_cast<int>(source.size(0)),
                        static_cast<int>(source.size(1)), CV_8UC3,
                        source.data_ptr());
  auto out = at::empty({height, width, 3}, at::kByte);
  cv::Mat straight(height, width, CV_8UC3, out.data_ptr());
  cv::warpPerspective(picture, straight,
                      cv::getPerspectiveTransform(from.data(), to.data()),
                      straight.size(), cv::INTER_CUBIC, cv::BORDER_REPLICATE);
  const bool is_upright = height * 2 < width * 3;
  return is_upright ? out : at::rot90(out, 1, {0, 1}).contiguous();
}

}  // namespace penstock::image
