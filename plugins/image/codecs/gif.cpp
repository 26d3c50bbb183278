// GIF by giflib: the first frame, on a canvas of the background colour.
#include <gif_lib.h>

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

/// Goes to the first frame; extensions before it are skipped.
void find_frame(GifFileType* gif) {
  for (;;) {
    GifRecordType record{};
    if (DGifGetRecordType(gif, &record) == GIF_ERROR) {
      damaged(GifErrorString(gif->Error));
    }
    if (record == TERMINATE_RECORD_TYPE) damaged(nullptr);
    if (record == IMAGE_DESC_RECORD_TYPE) return;
    int code = 0;
    GifByteType* block = nullptr;
    if (DGifGetExtension(gif, &code, &block) == GIF_ERROR) {
      damaged(GifErrorString(gif->Error));
    }
    while (block != nullptr) {
      if (DGifGetExtensionNext(gif, &block) == GIF_ERROR) {
        damaged(GifErrorString(gif->Error));
      }
    }
  }
}

struct Colors {
  explicit Colors(const ColorMapObject* map) {
    if (map == nullptr) damaged("no palette");
    for (int i = 0; i < map->ColorCount && i < 256; ++i) {
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

}  // namespace

Picture decode_gif(std::string_view bytes, const DecodeOptions& options) {
  int error = 0;
  std::string_view rest = bytes;
  const std::unique_ptr<GifFileType, Close> gif(DGifOpen(&rest, read, &error));
  if (gif == nullptr) damaged(GifErrorString(error));
  // The canvas, and then the frame: both before giflib makes room for it.
  Picture picture;
  picture.pixels = new_pixels(gif->SHeight, gif->SWidth, 3, options);
  find_frame(gif.get());
  if (DGifGetImageDesc(gif.get()) == GIF_ERROR) {
    damaged(GifErrorString(gif->Error));
  }
  const GifImageDesc& frame = gif->Image;
  if (frame.Left < 0 || frame.Top < 0 || frame.Width < 1 || frame.Height < 1 ||
      frame.Left + frame.Width > gif->SWidth ||
      frame.Top + frame.Height > gif->SHeight) {
    damaged("its first frame is not inside the picture");
  }
  const Colors colors(frame.ColorMap != nullptr ? frame.ColorMap
                                                : gif->SColorMap);
  const bool has_background =
      gif->SColorMap != nullptr &&
      gif->SBackGroundColor < gif->SColorMap->ColorCount;
  const auto background =
      has_background
          ? Colors(gif->SColorMap)
                .rgb.at(static_cast<std::size_t>(gif->SBackGroundColor))
          : std::array<std::uint8_t, 3>{};
  auto* to = picture.pixels.mutable_data_ptr<std::uint8_t>();
  for (std::int64_t i = 0; i < picture.pixels.numel(); ++i) {
    to[i] = background.at(static_cast<std::size_t>(i % 3));
  }
  std::vector<GifPixelType> row(static_cast<std::size_t>(frame.Width));
  for (const std::int64_t y : row_order(frame.Height, frame.Interlace)) {
    if (DGifGetLine(gif.get(), row.data(), frame.Width) == GIF_ERROR) {
      damaged(GifErrorString(gif->Error));
    }
    auto* at = to + ((frame.Top + y) * gif->SWidth + frame.Left) * 3;
    for (const GifPixelType index : row) {
      const auto& color = colors.rgb.at(index);
      at = std::copy(color.begin(), color.end(), at);
    }
  }
  return picture;
}

}  // namespace penstock::image
