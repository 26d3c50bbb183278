// GIF by giflib: the first frame, on a canvas of the background colour, or of
// nothing where the frame has a transparent colour. As in Pillow, a frame that
// reaches beyond its canvas makes it larger.
#include <gif_lib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include "image/codecs/codec.h"
#include "penstock/error.h"

namespace penstock::image {
namespace {

[[noreturn]] void damaged(const char* what) {
  throw Error(Code::kData,
              str("damaged GIF: ", what == nullptr ? "no frame" : what));
}

int read(GifFileType* gif, GifByteType* to, int count) {
  auto& rest = *static_cast<std::string_view*>(gif->UserData);
  const auto size = std::min(rest.size(), static_cast<std::size_t>(count));
  std::memcpy(to, rest.data(), size);
  rest.remove_prefix(size);
  return static_cast<int>(size);
}

struct Close {
  void operator()(GifFileType* gif) const { (void)DGifCloseFile(gif, nullptr); }
};

/// Goes to the first frame; of the extensions before it only the transparent
/// colour is wanted: its index, or NO_TRANSPARENT_COLOR.
int find_frame(GifFileType* gif) {
  int transparent = NO_TRANSPARENT_COLOR;
  for (;;) {
    GifRecordType record{};
    if (DGifGetRecordType(gif, &record) == GIF_ERROR) {
      damaged(GifErrorString(gif->Error));
    }
    if (record == TERMINATE_RECORD_TYPE) damaged(nullptr);
    if (record == IMAGE_DESC_RECORD_TYPE) return transparent;
    int code = 0;
    GifByteType* block = nullptr;
    if (DGifGetExtension(gif, &code, &block) == GIF_ERROR) {
      damaged(GifErrorString(gif->Error));
    }
    GraphicsControlBlock control{};
    if (code == GRAPHICS_EXT_FUNC_CODE && block != nullptr &&
        DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK) {
      transparent = control.TransparentColor;
    }
    while (block != nullptr) {
      if (DGifGetExtensionNext(gif, &block) == GIF_ERROR) {
        damaged(GifErrorString(gif->Error));
      }
    }
  }
}

/// A file without a palette is grey.
struct Colors {
  explicit Colors(const ColorMapObject* map) {
    for (std::size_t i = 0; map == nullptr && i < rgb.size(); ++i) {
      rgb.at(i).fill(static_cast<std::uint8_t>(i));
    }
    for (int i = 0; map != nullptr && i < map->ColorCount && i < 256; ++i) {
      const GifColorType& c = map->Colors[i];
      rgb.at(static_cast<std::size_t>(i)) = {c.Red, c.Green, c.Blue};
    }
  }
  std::array<std::array<std::uint8_t, 3>, 256> rgb{};
};

/// The rows of a frame in the order in which they are stored.
std::vector<std::int64_t> row_order(std::int64_t height, bool is_interlaced) {
  std::vector<std::int64_t> order;
  const auto add = [&](std::int64_t from, std::int64_t step) {
    for (std::int64_t y = from; y < height; y += step) order.push_back(y);
  };
  if (is_interlaced) {
    add(0, 8);
    add(4, 8);
    add(2, 4);
    add(1, 2);
  } else {
    add(0, 1);
  }
  return order;
}

using Pixel = std::array<std::uint8_t, 4>;

Pixel with_alpha(const std::array<std::uint8_t, 3>& color, int alpha) {
  return {color[0], color[1], color[2], static_cast<std::uint8_t>(alpha)};
}

std::size_t index_of(int color) {
  return static_cast<std::size_t>(color) & 255;
}

Pixel background(const GifFileType& gif) {
  const bool has_one = gif.SColorMap != nullptr &&
                       gif.SBackGroundColor < gif.SColorMap->ColorCount;
  if (!has_one) return {};
  return with_alpha(
      Colors(gif.SColorMap).rgb.at(index_of(gif.SBackGroundColor)), 255);
}

/// Every pixel, of 3 or 4 channels.
void fill(const at::Tensor& pixels, const Pixel& pixel) {
  auto* to = pixels.mutable_data_ptr<std::uint8_t>();
  const std::int64_t channels = pixels.size(2);
  for (std::int64_t i = 0; i < pixels.numel(); ++i) {
    to[i] = pixel.at(static_cast<std::size_t>(i % channels));
  }
}

}  // namespace

Picture decode_gif(std::string_view bytes, const DecodeOptions& options) {
  int error = 0;
  std::string_view rest = bytes;
  const std::unique_ptr<GifFileType, Close> gif(DGifOpen(&rest, read, &error));
  if (gif == nullptr) damaged(GifErrorString(error));
  const int transparent = find_frame(gif.get());
  if (DGifGetImageDesc(gif.get()) == GIF_ERROR) {
    damaged(GifErrorString(gif->Error));
  }
  const GifImageDesc& frame = gif->Image;
  if (frame.Left < 0 || frame.Top < 0 || frame.Width < 1 || frame.Height < 1) {
    damaged("its first frame has no pixels");
  }
  const std::int64_t width = std::max(gif->SWidth, frame.Left + frame.Width);
  const std::int64_t height = std::max(gif->SHeight, frame.Top + frame.Height);
  const bool has_alpha = transparent != NO_TRANSPARENT_COLOR;
  Picture picture;
  picture.pixels = new_pixels(height, width, has_alpha ? 4 : 3, options);
  const Colors colors(frame.ColorMap != nullptr ? frame.ColorMap
                                                : gif->SColorMap);
  fill(picture.pixels, has_alpha
                           ? with_alpha(colors.rgb.at(index_of(transparent)), 0)
                           : background(*gif));
  auto* to = picture.pixels.mutable_data_ptr<std::uint8_t>();
  std::vector<GifPixelType> row(static_cast<std::size_t>(frame.Width));
  for (const std::int64_t y : row_order(frame.Height, frame.Interlace)) {
    if (DGifGetLine(gif.get(), row.data(), frame.Width) == GIF_ERROR) {
      damaged(GifErrorString(gif->Error));
    }
    auto* at =
        to + ((frame.Top + y) * width + frame.Left) * picture.pixels.size(2);
    for (const GifPixelType index : row) {
      const auto& color = colors.rgb.at(index);
      at = std::copy(color.begin(), color.end(), at);
      if (has_alpha) *at++ = index == transparent ? 0 : 255;
    }
  }
  return picture;
}

}  // namespace penstock::image
