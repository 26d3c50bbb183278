#include "penstock/drawing.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>

#include "penstock/error.h"
#include "penstock/text.h"

namespace penstock {
namespace {

namespace fs = std::filesystem;

constexpr double kLetter = 0.55;  ///< width of a letter of height 1

std::string number(double value) {
  std::array<char, 40> text{};
  (void)std::snprintf(text.data(), text.size(), "%.2f", value);
  return text.data();
}

std::string escaped(std::string_view text) {
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
      default:
        out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

}  // namespace

void make_drawing_folder(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error) return;
  throw Error(Code::kRetry,
              str("cannot make the folder '", folder, "': ", error.message()));
}

fs::path drawing_path(const std::string& folder, const std::string& id,
                      const std::string& ending) {
  std::string name = fs::path(id).filename().string();
  if (name.empty() || name == "." || name == "..") name = "result";
  return fs::path(folder) / (name + ending);
}

void write_drawing(const fs::path& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary);
  out << bytes;
  out.close();
  if (!out) {
    throw Error(Code::kRetry, str("cannot write '", path.string(), "'"));
  }
}

Svg::Svg(double width, double height) {
  text_ = str(R"(<svg xmlns="http://www.w3.org/2000/svg" width=")",
              number(width), R"(" height=")", number(height),
              R"(" font-family="sans-serif">)", "\n");
  rect(0, 0, width, height, "white");
}

void Svg::rect(double x, double y, double width, double height,
               std::string_view fill) {
  text_ += str(R"(<rect x=")", number(x), R"(" y=")", number(y), R"(" width=")",
               number(width), R"(" height=")", number(height), R"(" fill=")",
               fill, "\"/>\n");
}

void Svg::line(double x0, double y0, double x1, double y1,
               std::string_view stroke) {
  text_ += str(R"(<line x1=")", number(x0), R"(" y1=")", number(y0),
               R"(" x2=")", number(x1), R"(" y2=")", number(y1),
               R"(" stroke=")", stroke, "\"/>\n");
}

void Svg::curve(std::span<const std::pair<double, double>> points,
                std::string_view stroke) {
  text_ += R"(<polyline points=")";
  for (const auto& [x, y] : points) {
    text_ += number(x) + "," + number(y) + " ";
  }
  text_ += str(R"(" fill="none" stroke=")", stroke, "\"/>\n");
}

void Svg::text(double x, double y, double size, const std::string& text,
               double most) {
  std::string shown = replace_invalid_utf8(text);
  const auto letters =
      static_cast<std::size_t>(std::clamp(most / (size * kLetter), 0.0, 1e6));
  if (shown.size() > letters) {
    shown.resize(letters);
    shown.resize(complete_utf8(shown));
  }
  text_ +=
      str(R"(<text x=")", number(x), R"(" y=")", number(y), R"(" font-size=")",
          number(size), "\">", escaped(shown), "</text>\n");
}

void Svg::seconds(double x, double y, double width, double total) {
  line(x, y, x + width, y, "black");
  if (total <= 0) return;
  // About ten marks, at 1, 2 or 5 times a power of ten.
  const double power = std::pow(10, std::floor(std::log10(total / 10)));
  const double few = total / 10 / power;
  const double step = power * (few <= 1 ? 1 : few <= 2 ? 2 : few <= 5 ? 5 : 10);
  for (int i = 0; i * step <= total; ++i) {
    const double at = x + width * i * step / total;
    line(at, y, at, y + 4, "black");
    text(at + 2, y + 14, 11, str(i * step, " s"));
  }
}

std::string Svg::take() && { return std::move(text_) + "</svg>\n"; }

}  // namespace penstock
