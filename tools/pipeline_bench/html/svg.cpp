#include "pipeline_bench/html/svg.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

namespace penstock::bench {
namespace {

/// A place in pixels; a tenth is enough.
std::string px(double value) {
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), "%.1f", value);
  return text.data();
}

std::vector<double> log_ticks(double low, double high, int count) {
  // Finer where the values are near each other, as ratios around 1 are.
  if (high / low < 4) {
    Scale straight;
    straight.low = low;
    straight.high = high;
    return straight.ticks(count);
  }
  std::vector<double> out;
  for (double ten = std::pow(10, std::floor(std::log10(low))); ten <= high;
       ten *= 10) {
    for (const double digit : {1.0, 2.0, 5.0}) {
      const double value = digit * ten;
      if (value >= low && value <= high) out.push_back(value);
    }
  }
  return out;
}

}  // namespace

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string short_number(double value) {
  std::array<char, 32> text{};
  const double size = std::abs(value);
  const char* form = "%.3g";
  if (size >= 999.5) form = "%.0f";
  if (size < 0.0005) form = "%.1g";
  if (size == 0) form = "%.0f";
  (void)std::snprintf(text.data(), text.size(), form, value);
  return text.data();
}

double Scale::at(double value) const {
  const auto place = [this](double v) {
    return is_log ? std::log(std::max(v, 1e-12)) : v;
  };
  const double span = place(high) - place(low);
  if (span == 0) return from;
  return from + (place(value) - place(low)) / span * (to - from);
}

std::vector<double> Scale::ticks(int count) const {
  if (is_log) return log_ticks(low, high, count);
  const double rough = (high - low) / count;
  if (!(rough > 0)) return {low};
  const double ten = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * ten;
  for (const double digit : {5.0, 2.0, 1.0}) {
    if (digit * ten >= rough) step = digit * ten;
  }
  std::vector<double> out;
  const double first = std::ceil(low / step - 1e-9);
  for (double i = first; i * step <= high + step * 1e-9; ++i) {
    out.push_back(i * step);
  }
  return out;
}

Svg::Svg(double width, double height, const std::string& label) {
  out_ << "<svg role=\"img\" viewBox=\"0 0 " << px(width) << " " << px(height)
       << "\" width=\"" << px(width) << "\" height=\"" << px(height)
       << "\" aria-label=\"" << escaped(label) << "\">\n";
}

void Svg::end_shape(const std::string& name, const std::string& tip) {
  if (tip.empty()) {
    out_ << "/>\n";
    return;
  }
  out_ << "><title>" << escaped(tip) << "</title></" << name << ">\n";
}

void Svg::rect(double x, double y, double width, double height,
               const std::string& css, const std::string& tip) {
  out_ << "<rect x=\"" << px(x) << "\" y=\"" << px(y) << "\" width=\""
       << px(std::max(0.0, width)) << "\" height=\""
       << px(std::max(0.0, height)) << "\" class=\"" << css << "\"";
  end_shape("rect", tip);
}

void Svg::line(double x1, double y1, double x2, double y2,
               const std::string& css) {
  out_ << "<line x1=\"" << px(x1) << "\" y1=\"" << px(y1) << "\" x2=\""
       << px(x2) << "\" y2=\"" << px(y2) << "\" class=\"" << css << "\"/>\n";
}

void Svg::circle(double x, double y, double radius, const std::string& css,
                 const std::string& tip) {
  out_ << "<circle cx=\"" << px(x) << "\" cy=\"" << px(y) << "\" r=\""
       << px(radius) << "\" class=\"" << css << "\"";
  end_shape("circle", tip);
}

void Svg::text(double x, double y, const std::string& text,
               const std::string& anchor, const std::string& css) {
  out_ << "<text x=\"" << px(x) << "\" y=\"" << px(y) << "\" text-anchor=\""
       << anchor << "\"";
  if (!css.empty()) out_ << " class=\"" << css << "\"";
  out_ << ">" << escaped(text) << "</text>\n";
}

void Svg::path(const std::vector<std::pair<double, double>>& points,
               const std::string& css) {
  out_ << "<polyline class=\"" << css << "\" points=\"";
  for (const auto& [x, y] : points) out_ << px(x) << "," << px(y) << " ";
  out_ << "\"/>\n";
}

void Svg::axis(const Scale& scale, double y, double top,
               const std::string& name) {
  for (const double tick : scale.ticks()) {
    const double x = scale.at(tick);
    line(x, top, x, y, "grid");
    text(x, y + 16, short_number(tick), "middle", "tick");
  }
  line(scale.from, y, scale.to, y, "axis");
  text((scale.from + scale.to) / 2, y + 34, name, "middle", "tick");
}

std::string Svg::take() {
  out_ << "</svg>\n";
  return std::move(out_).str();
}

}  // namespace penstock::bench
