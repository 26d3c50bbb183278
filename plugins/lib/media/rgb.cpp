#include "lib/media/rgb.h"

extern "C" {
#include <libswscale/swscale.h>
}

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <new>

#include "penstock/error.h"

namespace penstock::media {
namespace {

constexpr int kBytes = 3;  // of a pixel
/// Side of the square of pixels that is turned at a time, so that it stays in
/// the cache.
constexpr int kTile = 32;

/// Width of the stored picture once its pixels are square.
int square_width(const AVFrame& frame, AVRational aspect) {
  return std::max(1,
                  static_cast<int>(std::lround(frame.width * av_q2d(aspect))));
}

bool is_full_range(const AVFrame& frame) {
  switch (frame.format) {
    case AV_PIX_FMT_YUVJ411P:
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ440P:
    case AV_PIX_FMT_YUVJ444P:
      return true;
    default:
      return frame.color_range == AVCOL_RANGE_JPEG;
  }
}

}  // namespace

Turn turn_of(const std::int32_t* matrix) {
  // A point (x, y) is shown at (a x + c y, b x + d y), up to a shift.
  const std::int64_t a = matrix[0];
  const std::int64_t b = matrix[1];
  const std::int64_t c = matrix[3];
  const std::int64_t d = matrix[4];
  if (std::abs(a) + std::abs(d) >= std::abs(b) + std::abs(c)) {
    return {.is_mirrored = a < 0, .is_upside_down = d < 0};
  }
  return {.is_transposed = true, .is_mirrored = c < 0, .is_upside_down = b < 0};
}

RgbConverter::RgbConverter(Turn turn, bool is_bt709)
    : turn_(turn), is_bt709_(is_bt709), rgb_(make_frame()) {}

RgbConverter::~RgbConverter() { sws_freeContext(scaler_); }

Size RgbConverter::size(const AVFrame& frame, AVRational aspect) const {
  const int width = square_width(frame, aspect);
  return turn_.is_transposed ? Size{.width = frame.height, .height = width}
                             : Size{.width = width, .height = frame.height};
}

void RgbConverter::prepare(const AVFrame& frame, int width,
                           const std::string& file) {
  // At its own size a frame takes the path that most programs take; stretched,
  // every pixel of colour counts.
  const int flags = width == frame.width
                        ? SWS_BILINEAR
                        : SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT;
  scaler_ = sws_getCachedContext(scaler_, frame.width, frame.height,
                                 static_cast<AVPixelFormat>(frame.format),
                                 width, frame.height, AV_PIX_FMT_RGB24, flags,
                                 nullptr, nullptr, nullptr);
  if (scaler_ == nullptr) {
    throw Error(Code::kData, str("'", file, "': pictures in the form ",
                                 frame.format, " are not understood"));
  }
  const int matrix = frame.colorspace == AVCOL_SPC_UNSPECIFIED
                         ? (is_bt709_ ? SWS_CS_ITU709 : SWS_CS_ITU601)
                         : static_cast<int>(frame.colorspace);
  // It fails where there is no matrix to choose, as for pictures in RGB.
  (void)sws_setColorspaceDetails(
      scaler_, sws_getCoefficients(matrix), is_full_range(frame) ? 1 : 0,
      sws_getCoefficients(SWS_CS_DEFAULT), /*dstRange=*/1, /*brightness=*/0,
      /*contrast=*/1 << 16, /*saturation=*/1 << 16);
  if (rgb_->width == width && rgb_->height == frame.height) return;
  av_frame_unref(rgb_.get());
  rgb_->format = AV_PIX_FMT_RGB24;
  rgb_->width = width;
  rgb_->height = frame.height;
  // swscale writes whole registers, beyond the ends of short rows.
  if (av_frame_get_buffer(rgb_.get(), 0) < 0) throw std::bad_alloc();
}

void RgbConverter::convert(const AVFrame& frame, AVRational aspect,
                           const std::string& file, std::uint8_t* to) {
  prepare(frame, square_width(frame, aspect), file);
  const int rows = sws_scale(scaler_, frame.data, frame.linesize, 0,
                             frame.height, rgb_->data, rgb_->linesize);
  if (rows != frame.height) {
    throw Error(Code::kData,
                str("'", file, "': a picture cannot be turned into RGB: ",
                    rows < 0 ? words(rows) : "rows are missing"));
  }
  turn(to);
}

void RgbConverter::turn(std::uint8_t* to) const {
  const int height = rgb_->height;
  const int width = rgb_->width;
  const auto row_of = [&](int y) {
    return rgb_->data[0] + static_cast<std::ptrdiff_t>(y) * rgb_->linesize[0];
  };
  const auto mirrored = [](bool is, int i, int count) {
    return is ? count - 1 - i : i;
  };
  if (!turn_.is_transposed && !turn_.is_mirrored) {
    const std::size_t size = static_cast<std::size_t>(width) * kBytes;
    for (int y = 0; y < height; ++y, to += size) {
      std::copy_n(row_of(mirrored(turn_.is_upside_down, y, height)), size, to);
    }
    return;
  }
  const std::ptrdiff_t shown_width = turn_.is_transposed ? height : width;
  const int shown_height = turn_.is_transposed ? width : height;
  const auto put = [&](int x, int y) {
    const int across = turn_.is_transposed ? y : x;
    const int down = turn_.is_transposed ? x : y;
    const int column =
        mirrored(turn_.is_mirrored, across, static_cast<int>(shown_width));
    const int row = mirrored(turn_.is_upside_down, down, shown_height);
    std::copy_n(row_of(y) + static_cast<std::ptrdiff_t>(x) * kBytes, kBytes,
                to + (row * shown_width + column) * kBytes);
  };
  for (int top = 0; top < height; top += kTile) {
    for (int left = 0; left < width; left += kTile) {
      for (int y = top; y < std::min(top + kTile, height); ++y) {
        for (int x = left; x < std::min(left + kTile, width); ++x) put(x, y);
      }
    }
  }
}

}  // namespace penstock::media
