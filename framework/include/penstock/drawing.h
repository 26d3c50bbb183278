// What is drawn of results: a folder with files named after requests, and
// plots as SVG.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "penstock/export.h"

namespace penstock {

/// Makes the folder where it is not there; throws Error(kRetry).
PENSTOCK_API void make_drawing_folder(const std::string& folder);
/// `FOLDER/NAME ENDING` without the space, NAME being the id without folders.
[[nodiscard]] PENSTOCK_API std::filesystem::path drawing_path(
    const std::string& folder, const std::string& id,
    const std::string& ending);
/// Writes a whole file; throws Error(kRetry).
PENSTOCK_API void write_drawing(const std::filesystem::path& path,
                                const std::string& bytes);

/// A plot, in pixels from the upper left corner. Colours as CSS has them.
class PENSTOCK_API Svg {
 public:
  Svg(double width, double height);

  void rect(double x, double y, double width, double height,
            std::string_view fill);
  void line(double x0, double y0, double x1, double y1,
            std::string_view stroke);
  /// Joins the points (x, y).
  void curve(std::span<const std::pair<double, double>> points,
             std::string_view stroke);
  /// `size` is its height; what is longer than `most` pixels is cut.
  void text(double x, double y, double size, const std::string& text,
            double most = 1e9);
  /// Marks of seconds along a line at `y`, from `x` to `x + width`.
  void seconds(double x, double y, double width, double total);
  [[nodiscard]] std::string take() &&;

 private:
  std::string text_;
};

}  // namespace penstock
