// WebP by libwebp; of an animation the first frame.
#include <webp/decode.h>
#include <webp/demux.h>

#include <cstring>
#include <memory>

#include "image/codecs/codec.h"
#include "penstock/error.h"

namespace penstock::image {
namespace {

using Demuxer = std::unique_ptr<WebPDemuxer, decltype(&WebPDemuxDelete)>;
using Animation =
    std::unique_ptr<WebPAnimDecoder, decltype(&WebPAnimDecoderDelete)>;

[[noreturn]] void damaged(const char* what) {
  throw Error(Code::kData, str("damaged WebP: ", what));
}

int orientation_of(WebPDemuxer* demuxer) {
  WebPChunkIterator chunk{};
  if (WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk) == 0) return 1;
  std::string_view exif(reinterpret_cast<const char*>(chunk.chunk.bytes),
                        chunk.chunk.size);
  constexpr std::string_view kPrefix("Exif\0\0", 6);  // of some writers
  if (exif.substr(0, 6) == kPrefix) exif.remove_prefix(6);
  const int orientation = exif_orientation(exif);
  WebPDemuxReleaseChunkIterator(&chunk);
  return orientation;
}

void decode_first_frame(const WebPData& data, const at::Tensor& rgba) {
  const Animation animation(WebPAnimDecoderNew(&data, nullptr),
                            &WebPAnimDecoderDelete);
  std::uint8_t* frame = nullptr;
  int time = 0;
  if (animation == nullptr ||
      WebPAnimDecoderGetNext(animation.get(), &frame, &time) == 0) {
    damaged("its first frame cannot be decoded");
  }
  std::memcpy(rgba.mutable_data_ptr<std::uint8_t>(), frame,
              static_cast<std::size_t>(rgba.numel()));
}

}  // namespace

Picture decode_webp(std::string_view bytes, const DecodeOptions& options) {
  const WebPData data{reinterpret_cast<const std::uint8_t*>(bytes.data()),
                      bytes.size()};
  WebPBitstreamFeatures features{};
  if (WebPGetFeatures(data.bytes, data.size, &features) != VP8_STATUS_OK) {
    damaged("its header cannot be read");
  }
  const Demuxer demuxer(WebPDemux(&data), &WebPDemuxDelete);
  if (demuxer == nullptr) damaged("the file ends early");
  const bool has_alpha = features.has_alpha != 0 || features.has_animation != 0;
  Picture picture;
  picture.orientation = orientation_of(demuxer.get());
  picture.pixels =
      new_pixels(features.height, features.width, has_alpha ? 4 : 3, options);
  if (features.has_animation != 0) {
    decode_first_frame(data, picture.pixels);
    return picture;
  }
  auto* to = picture.pixels.mutable_data_ptr<std::uint8_t>();
  const auto size = static_cast<std::size_t>(picture.pixels.numel());
  const int stride = features.width * (has_alpha ? 4 : 3);
  const auto* done =
      has_alpha ? WebPDecodeRGBAInto(data.bytes, data.size, to, size, stride)
                : WebPDecodeRGBInto(data.bytes, data.size, to, size, stride);
  if (done == nullptr) damaged("its pixels cannot be decoded");
  return picture;
}

}  // namespace penstock::image
