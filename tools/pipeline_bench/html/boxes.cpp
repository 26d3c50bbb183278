#include <algorithm>

#include "pipeline_bench/html/plots.h"
#include "pipeline_bench/html/rows.h"

namespace penstock::bench {
namespace {

double first_of(const Timed& timed) { return timed.first_ms; }
double whole_of(const Timed& timed) { return timed.whole_ms; }

struct Box {
  double low = 0, q1 = 0, middle = 0, q3 = 0, high = 0;
  std::vector<double> outside = {};
};

/// Whiskers end at the last value within 1.5 times the box, as J. W. Tukey
/// drew them.
Box box_of(const std::vector<double>& values) {
  Box box{.q1 = percentile(values, 0.25),
          .middle = median(values),
          .q3 = percentile(values, 0.75)};
  const double reach = 1.5 * (box.q3 - box.q1);
  box.low = box.q1;
  box.high = box.q3;
  for (const double value : values) {
    if (value < box.q1 - reach || value > box.q3 + reach) {
      box.outside.push_back(value);
      continue;
    }
    box.low = std::min(box.low, value);
    box.high = std::max(box.high, value);
  }
  return box;
}

void draw_box(Svg& svg, const Scale& scale, double y, const Box& box,
              const std::string& css) {
  const double middle = y + kRow / 2;
  svg.line(scale.at(box.low), middle, scale.at(box.high), middle,
           "stroke " + css);
  for (const double end : {box.low, box.high}) {
    svg.line(scale.at(end), middle - 4, scale.at(end), middle + 4,
             "stroke " + css);
  }
  const double left = scale.at(box.q1);
  const double width = std::max(1.0, scale.at(box.q3) - left);
  svg.rect(left, y + 5, width, kRow - 10, "fill " + css,
           "half of the requests: " + short_number(box.q1) + " to " +
               short_number(box.q3) + " ms, median " +
               short_number(box.middle) + " ms");
  svg.line(scale.at(box.middle), y + 4, scale.at(box.middle), y + kRow - 4,
           "median");
  for (const double value : box.outside) {
    svg.circle(scale.at(value), middle, 2, "fill " + css,
               short_number(value) + " ms");
  }
}

}  // namespace

std::string latency_plot(const Result& result, bool is_first) {
  const auto rows = plot_rows(result);
  double most = 0;
  double least = 1e300;
  for (const PlotRow& row : rows) {
    for (const double value :
         row.measured->each(is_first ? first_of : whole_of)) {
      most = std::max(most, value);
      least = std::min(least, value);
    }
  }
  if (most == 0) return "";
  const double end = rows.back().y + kRow;
  Svg svg(kWidth, end + kBottom,
          is_first ? "time to the first output" : "time of a request");
  // Loads that differ by more than ten times are told apart on a log scale.
  const bool is_log = least > 0 && most / least > 10;
  const Scale scale{.low = is_log ? least * 0.9 : 0,
                    .high = most * 1.05,
                    .from = kLeft,
                    .to = kWidth - kRight,
                    .is_log = is_log};
  svg.axis(scale, end, kTop,
           std::string(is_first ? "ms until the first output"
                                : "ms until a request is done") +
               (is_log ? ", log scale" : ""));
  for (const PlotRow& row : rows) {
    svg.text(kLeft - 10, row.y + kRow / 2 + 4, row.label, "end");
    const auto values = row.measured->each(is_first ? first_of : whole_of);
    draw_box(svg, scale, row.y, box_of(values), colour(row.variant));
  }
  return svg.take();
}

}  // namespace penstock::bench
