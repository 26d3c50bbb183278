#include "image/text_lines.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>

namespace penstock::image {
namespace {

constexpr float kLeastBlot = 3;  ///< of a blot, in pixels
constexpr float kSameLine = 10;  ///< pixels

using Quad = std::array<cv::Point2f, 4>;

struct Blot {
  Quad corners;
  float shorter = 0;  ///< side
};

/// The smallest rectangle around the points: its corners clockwise from the
/// upper left, as rapidocr orders them.
Blot around(const std::vector<cv::Point>& points) {
  const cv::RotatedRect rectangle = cv::minAreaRect(points);
  Quad by_x;
  rectangle.points(by_x.data());
  std::stable_sort(
      by_x.begin(), by_x.end(),
      [](const cv::Point2f& a, const cv::Point2f& b) { return a.x < b.x; });
  const bool is_down = by_x[1].y > by_x[0].y;
  const bool is_right_down = by_x[3].y > by_x[2].y;
  return {.corners = {by_x[is_down ? 0 : 1], by_x[is_right_down ? 2 : 3],
                      by_x[is_right_down ? 3 : 2], by_x[is_down ? 1 : 0]},
          .shorter = std::min(rectangle.size.width, rectangle.size.height)};
}

/// The mean of the map between the corners.
double mean_between(const cv::Mat& map, const Quad& corners) {
  const auto place = [](float at, int most) {
    return std::clamp(static_cast<int>(at), 0, most - 1);
  };
  auto [left, right] = std::minmax_element(
      corners.begin(), corners.end(),
      [](const auto& a, const auto& b) { return a.x < b.x; });
  auto [top, bottom] = std::minmax_element(
      corners.begin(), corners.end(),
      [](const auto& a, const auto& b) { return a.y < b.y; });
  const cv::Point from(place(std::floor(left->x), map.cols),
                       place(std::floor(top->y), map.rows));
  const cv::Point to(place(std::ceil(right->x), map.cols),
                     place(std::ceil(bottom->y), map.rows));
  const cv::Rect part(from, cv::Point(to.x + 1, to.y + 1));
  cv::Mat mask = cv::Mat::zeros(part.height, part.width, CV_8UC1);
  std::vector<cv::Point> inside;
  for (const cv::Point2f& corner : corners) {
    inside.emplace_back(
        static_cast<int>(corner.x - static_cast<float>(from.x)),
        static_cast<int>(corner.y - static_cast<float>(from.y)));
  }
  cv::fillPoly(mask, std::vector<std::vector<cv::Point>>{inside}, 1);
  return cv::mean(map(part), mask)[0];
}

/// Points on an arc around a corner, from one side's normal to the next one's,
/// in the steps that Clipper makes.
void add_arc(const cv::Point& corner, const cv::Point2d& from,
             const cv::Point2d& to, double distance,
             std::vector<cv::Point>& out) {
  constexpr double kTolerance = 0.25;
  constexpr double kPi = std::numbers::pi;
  const double tolerance = std::min(kTolerance, distance * kTolerance);
  const double steps =
      std::min(kPi / std::acos(1 - tolerance / distance), distance * kPi);
  const double turn = std::atan2(from.cross(to), from.dot(to));
  const auto add = [&](const cv::Point2d& normal) {
    out.emplace_back(
        static_cast<int>(std::lround(corner.x + normal.x * distance)),
        static_cast<int>(std::lround(corner.y + normal.y * distance)));
  };
  const auto count = std::max<std::int64_t>(
      1, std::llround(steps / (2 * kPi) * std::abs(turn)));
  const double angle = 2 * kPi / steps;
  cv::Point2d normal = from;
  for (std::int64_t i = 0; i < count; ++i) {
    add(normal);
    normal = {normal.x * std::cos(angle) - normal.y * std::sin(angle),
              normal.x * std::sin(angle) + normal.y * std::cos(angle)};
  }
  add(to);
}

/// A quadrangle that is `distance` larger all around, with round corners:
/// Clipper's offset of one whose corners are whole numbers.
std::vector<cv::Point> enlarged(const Quad& corners, double distance) {
  std::vector<cv::Point> whole;
  for (const cv::Point2f& corner : corners) {
    const cv::Point at(static_cast<int>(corner.x), static_cast<int>(corner.y));
    if (whole.empty() || whole.back() != at) whole.push_back(at);
  }
  if (whole.size() > 1 && whole.front() == whole.back()) whole.pop_back();
  std::vector<cv::Point> out;
  if (whole.size() < 3 || distance <= 0) return out;
  std::vector<cv::Point2d> normals;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const cv::Point2d side = whole[(i + 1) % whole.size()] - whole[i];
    const double length = std::hypot(side.x, side.y);
    normals.emplace_back(side.y / length, -side.x / length);
  }
  for (std::size_t i = 0; i < whole.size(); ++i) {
    add_arc(whole[i], normals[(i + whole.size() - 1) % whole.size()],
            normals[i], distance, out);
  }
  return out;
}

/// How far the shrunken text that the map shows is from the whole: its area by
/// its perimeter.
double distance_of(const Quad& corners, double unclip) {
  double area = 0;
  double around = 0;
  for (std::size_t i = 0; i < corners.size(); ++i) {
    const cv::Point2d a = corners.at(i);
    const cv::Point2d b = corners.at((i + 1) % corners.size());
    area += a.cross(b);
    around += std::hypot(b.x - a.x, b.y - a.y);
  }
  return around > 0 ? std::abs(area) / 2 * unclip / around : 0;
}

TextLine line_of(const Quad& corners, double score) {
  TextLine line{.score = score};
  for (std::size_t i = 0; i < corners.size(); ++i) {
    line.corners.at(2 * i) = corners.at(i).x;
    line.corners.at(2 * i + 1) = corners.at(i).y;
  }
  return line;
}

std::vector<std::vector<cv::Point>> blots(const cv::Mat& map,
                                          const TextLineRules& rules) {
  cv::Mat likely = map > rules.threshold;
  if (rules.dilate) {
    cv::dilate(likely, likely, cv::Mat::ones(2, 2, CV_8UC1));
  }
  std::vector<std::vector<cv::Point>> contours;
  cv::findContours(likely, contours, cv::RETR_LIST, cv::CHAIN_APPROX_SIMPLE);
  const auto most = static_cast<std::size_t>(rules.max);
  if (contours.size() > most) contours.resize(most);
  return contours;
}

}  // namespace

std::vector<TextLine> text_lines(const at::Tensor& map,
                                 const TextLineRules& rules) {
  const at::Tensor numbers = map.contiguous();
  const cv::Mat likely(static_cast<int>(map.size(0)),
                       static_cast<int>(map.size(1)), CV_32FC1,
                       numbers.data_ptr());
  std::vector<TextLine> lines;
  if (likely.empty()) return lines;
  for (const auto& contour : blots(likely, rules)) {
    const Blot blot = around(contour);
    if (blot.shorter < kLeastBlot) continue;
    const double score = mean_between(likely, blot.corners);
    if (score < rules.box_threshold) continue;
    const auto larger =
        enlarged(blot.corners, distance_of(blot.corners, rules.unclip));
    if (larger.empty()) continue;
    const Blot whole = around(larger);
    if (whole.shorter < kLeastBlot + 2) continue;
    lines.push_back(line_of(whole.corners, score));
  }
  return lines;
}

void sort_lines(std::vector<TextLine>& lines) {
  std::stable_sort(lines.begin(), lines.end(),
                   [](const TextLine& a, const TextLine& b) {
                     return a.corners[1] < b.corners[1];
                   });
  for (auto begin = lines.begin(); begin != lines.end();) {
    auto end = begin + 1;
    while (end != lines.end() &&
           end->corners[1] - (end - 1)->corners[1] < kSameLine) {
      ++end;
    }
    std::stable_sort(begin, end, [](const TextLine& a, const TextLine& b) {
      return a.corners[0] < b.corners[0];
    });
    begin = end;
  }
}

}  // namespace penstock::image
