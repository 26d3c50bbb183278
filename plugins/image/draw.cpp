#include "image/draw.h"

#include <png.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "image/resize.h"
#include "penstock/drawing.h"
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

/// Colours that differ on any picture, as rgb.
cv::Scalar colour_of(std::int64_t kind) {
  static const std::array<cv::Scalar, 8> colours{{{230, 60, 60},
                                                  {60, 160, 250},
                                                  {60, 200, 80},
                                                  {250, 190, 30},
                                                  {190, 90, 240},
                                                  {40, 210, 210},
                                                  {250, 120, 40},
                                                  {240, 100, 180}}};
  const auto count = static_cast<std::int64_t>(colours.size());
  return colours.at(static_cast<std::size_t>((kind % count + count) % count));
}

void draw_box(cv::Mat& picture, const cv::Rect& at, const DrawnBox& box) {
  const cv::Scalar colour = colour_of(box.kind);
  cv::rectangle(picture, at, colour, 2);
  const std::string text = printable(box.text);
  int baseline = 0;
  const cv::Size size =
      cv::getTextSize(text, cv::FONT_HERSHEY_SIMPLEX, kFontScale, 1, &baseline);
  // Above the box; in it where there is no room.
  const int y = at.y >= kLine ? at.y - kLine : at.y;
  const int x =
      std::max(0, std::min(at.x, picture.cols - size.width - kMargin));
  cv::rectangle(picture, {x, y, size.width + kMargin, kLine}, colour,
                cv::FILLED);
  cv::putText(picture, text, {x + kMargin / 2, y + kLine - kMargin + 1},
              cv::FONT_HERSHEY_SIMPLEX, kFontScale, {255, 255, 255}, 1,
              cv::LINE_AA);
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

namespace {

/// draw(picture, at, box) for each box on a copy of `canvas`, which shows
/// `pixels`; the best one last, on top.
template <class Draw>
at::Tensor drawn_on(const at::Tensor& canvas, const at::Tensor& pixels,
                    const std::vector<DrawnBox>& boxes, const Draw& draw) {
  at::Tensor out = canvas.clone(at::MemoryFormat::Contiguous);
  cv::Mat picture(static_cast<int>(out.size(0)), static_cast<int>(out.size(1)),
                  CV_8UC3, out.data_ptr());
  const auto scaled = [&](double place, std::int64_t dim) {
    const double most = static_cast<double>(out.size(dim));
    return static_cast<int>(std::lround(std::clamp(
        place * most / static_cast<double>(pixels.size(dim)), 0.0, most - 1)));
  };
  for (auto box = boxes.rbegin(); box != boxes.rend(); ++box) {
    const cv::Point from(scaled(box->left, 1), scaled(box->top, 0));
    const cv::Point to(scaled(box->right, 1), scaled(box->bottom, 0));
    draw(picture,
         cv::Rect(from.x, from.y, to.x - from.x + 1, to.y - from.y + 1), *box);
  }
  return out;
}

}  // namespace

at::Tensor with_boxes(const at::Tensor& pixels,
                      const std::vector<DrawnBox>& boxes) {
  return drawn_on(viewable(pixels), pixels, boxes, draw_box);
}

at::Tensor with_outlines(const at::Tensor& pixels,
                         const std::vector<DrawnBox>& boxes) {
  return drawn_on(
      pixels, pixels, boxes,
      [](cv::Mat& picture, const cv::Rect& at, const DrawnBox& box) {
        cv::rectangle(picture, at, colour_of(box.kind), 2);
      });
}

at::Tensor with_mask(const at::Tensor& pixels, const at::Tensor& mask,
                     std::int64_t none) {
  at::Tensor out = pixels.contiguous().clone();
  auto* pixel = out.mutable_data_ptr<std::uint8_t>();
  const auto* const kind = mask.const_data_ptr<std::uint8_t>();
  std::array<cv::Scalar, 256> colours;
  for (std::size_t i = 0; i < colours.size(); ++i) {
    colours.at(i) = colour_of(static_cast<std::int64_t>(i));
  }
  for (std::int64_t i = 0; i < mask.numel(); ++i, pixel += 3) {
    if (kind[i] == none) continue;
    const cv::Scalar& colour = colours.at(kind[i]);
    for (int c = 0; c < 3; ++c) {
      pixel[c] = static_cast<std::uint8_t>((pixel[c] + colour[c]) / 2);
    }
  }
  return viewable(out);
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

void write_view(const std::string& folder, const std::string& request,
                std::int64_t view, const at::Tensor& pixels) {
  const std::string ending = view > 0 ? str(".", view, ".png") : ".png";
  write_png(drawing_path(folder, request, ending).string(), pixels);
}

}  // namespace penstock::image
