#include "image/draw.h"

#include <png.h>

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "image/resize.h"
#include "penstock/error.h"

namespace penstock::image {
namespace {

constexpr int kLine = 22;  // pixels from one line of text to the next
constexpr int kMargin = 8;
constexpr double kFontScale = 0.5;
constexpr double kLeastSide = 480;
constexpr double kMostSide = 1280;

/// As large as a person looks at it, at least as wide as the text.
at::Tensor viewable(const at::Tensor& pixels) {
  const auto longest =
      static_cast<double>(std::max(pixels.size(0), pixels.size(1)));
  const double scale = std::clamp(longest, kLeastSide, kMostSide) / longest;
  const auto scaled = [&](std::int64_t side) {
    return std::max<std::int64_t>(
        1, std::lround(static_cast<double>(side) * scale));
  };
  return resize(pixels, scaled(pixels.size(0)), scaled(pixels.size(1)),
                Filter::kBilinear, "torch_aa");
}

}  // namespace

std::string printable(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F) {
      out += c;
    } else if ((byte & 0xC0U) != 0x80U) {  // once for each character
      out += '?';
    }
  }
  return out;
}

at::Tensor with_lines(const at::Tensor& pixels,
                      const std::vector<std::string>& lines) {
  at::Tensor out = viewable(pixels).clone();
  cv::Mat picture(static_cast<int>(out.size(0)), static_cast<int>(out.size(1)),
                  CV_8UC3, out.data_ptr());
  int width = 0;
  for (const std::string& line : lines) {
    int baseline = 0;
    width = std::max(width,
                     cv::getTextSize(printable(line), cv::FONT_HERSHEY_SIMPLEX,
                                     kFontScale, 1, &baseline)
                         .width);
  }
  const cv::Rect band =
      cv::Rect(0, 0, width + 2 * kMargin,
               static_cast<int>(lines.size()) * kLine + kMargin) &
      cv::Rect(0, 0, picture.cols, picture.rows);
  cv::Mat(picture, band) *= 0.35;
  int y = kLine - kMargin / 2;
  for (const std::string& line : lines) {
    cv::putText(picture, printable(line), {kMargin, y},
                cv::FONT_HERSHEY_SIMPLEX, kFontScale, {255, 255, 255}, 1,
                cv::LINE_AA);
    y += kLine;
  }
  return out;
}

void write_png(const std::string& path, const at::Tensor& pixels) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.format = PNG_FORMAT_RGB;
  image.width = static_cast<png_uint_32>(pixels.size(1));
  image.height = static_cast<png_uint_32>(pixels.size(0));
  const auto rows = pixels.contiguous();
  if (png_image_write_to_file(&image, path.c_str(), 0, rows.data_ptr(), 0,
                              nullptr) == 0) {
    throw Error(Code::kRetry,
                str("cannot write '", path, "': ", &image.message[0]));
  }
}

}  // namespace penstock::image
