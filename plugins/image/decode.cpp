#include "image/decode.h"

#include <ATen/ops/empty.h>

#include <array>

#include "penstock/error.h"

namespace penstock::image {
namespace {

struct Format {
  const char* name;
  Picture (*decode)(std::string_view bytes, const DecodeOptions& options);
  bool (*fits)(std::string_view bytes);
};

constexpr std::array kFormats{
    Format{"JPEG", decode_jpeg,
           [](std::string_view b) { return b.starts_with("\xFF\xD8\xFF"); }},
    Format{
        "PNG", decode_png,
        [](std::string_view b) { return b.starts_with("\x89PNG\r\n\x1A\n"); }},
    Format{"WebP", decode_webp,
           [](std::string_view b) {
             return b.starts_with("RIFF") && b.substr(0, 12).ends_with("WEBP");
           }},
    Format{"GIF", decode_gif,
           [](std::string_view b) {
             return b.starts_with("GIF87a") || b.starts_with("GIF89a");
           }},
    Format{"TIFF", decode_tiff,
           [](std::string_view b) {
             using namespace std::string_view_literals;
             return b.starts_with("II*\0"sv) || b.starts_with("MM\0*"sv) ||
                    b.starts_with("II+\0"sv) || b.starts_with("MM\0+"sv);
           }},
    Format{"BMP", decode_bmp,
           [](std::string_view b) { return b.starts_with("BM"); }},
};

const Format* known_format(std::string_view bytes) {
  for (const Format& format : kFormats) {
    if (format.fits(bytes)) return &format;
  }
  return nullptr;
}

}  // namespace

std::string format_of(std::string_view bytes) {
  const Format* format = known_format(bytes);
  return format == nullptr ? "" : format->name;
}

Picture decode(std::string_view bytes, const DecodeOptions& options) {
  const Format* format = known_format(bytes);
  if (format == nullptr) {
    throw Error(Code::kData,
                "it is no picture known here; expected JPEG, PNG, WebP, GIF, "
                "TIFF or BMP");
  }
  return format->decode(bytes, options);
}

at::Tensor upright(const at::Tensor& pixels, int orientation) {
  // 5..8 are 1..4 with rows and columns exchanged.
  at::Tensor out = orientation >= 5 ? pixels.transpose(0, 1) : pixels;
  const bool flips_rows = orientation == 3 || orientation == 4 ||
                          orientation == 7 || orientation == 8;
  const bool flips_columns = orientation == 2 || orientation == 3 ||
                             orientation == 6 || orientation == 7;
  if (flips_rows) out = out.flip(0);
  if (flips_columns) out = out.flip(1);
  return out.contiguous();
}

at::Tensor without_alpha(const at::Tensor& pixels,
                         const std::string& background) {
  if (pixels.size(2) == 3) return pixels;
  auto out = at::empty({pixels.size(0), pixels.size(1), 3}, at::kByte);
  const int behind = background == "white" ? 255 : 0;
  const auto* from = pixels.const_data_ptr<std::uint8_t>();
  auto* to = out.mutable_data_ptr<std::uint8_t>();
  for (std::int64_t i = 0; i < out.numel() / 3; ++i, from += 4, to += 3) {
    const int alpha = background == "drop" ? 255 : from[3];
    for (int c = 0; c < 3; ++c) {
      to[c] = static_cast<std::uint8_t>(
          (from[c] * alpha + behind * (255 - alpha) + 127) / 255);
    }
  }
  return out;
}

}  // namespace penstock::image
