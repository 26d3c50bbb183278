// A drawing as SVG within a page: shapes by CSS class, colours by the page.
#pragma once

#include <sstream>
#include <string>
#include <vector>

namespace penstock::bench {

/// Text within HTML or an attribute of it.
[[nodiscard]] std::string escaped(const std::string& text);
/// A number for people: three digits that count, "12300", "0.0123".
[[nodiscard]] std::string short_number(double value);

/// Values to places along a line of pixels.
struct Scale {
  double low = 0, high = 1;  ///< values
  double from = 0, to = 1;   ///< pixels
  bool is_log = false;

  [[nodiscard]] double at(double value) const;
  /// Round values within it, about `count` of them.
  [[nodiscard]] std::vector<double> ticks(int count = 6) const;
};

class Svg {
 public:
  /// `label` says what it shows to those who do not see it.
  Svg(double width, double height, const std::string& label);

  /// `tip`: shown while the pointer is on it; "": nothing.
  void rect(double x, double y, double width, double height,
            const std::string& css, const std::string& tip = "");
  void line(double x1, double y1, double x2, double y2, const std::string& css);
  void circle(double x, double y, double radius, const std::string& css,
              const std::string& tip = "");
  /// `anchor`: start, middle, end.
  void text(double x, double y, const std::string& text,
            const std::string& anchor = "start", const std::string& css = "");
  void path(const std::vector<std::pair<double, double>>& points,
            const std::string& css);
  /// An axis along the bottom at `y`, with lines up to `top` and a name.
  void axis(const Scale& scale, double y, double top, const std::string& name);

  [[nodiscard]] std::string take();

 private:
  void end_shape(const std::string& name, const std::string& tip);

  std::ostringstream out_;
};

}  // namespace penstock::bench
