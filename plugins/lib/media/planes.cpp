#include "lib/media/planes.h"

#include <cstddef>
#include <cstdint>

#include "penstock/error.h"

namespace penstock::media {
namespace {

/// Gives how many were no sound.
template <class T>
std::int64_t copy(const T* from, std::size_t stride, double offset,
                  double scale, std::vector<float>& to) {
  std::int64_t faulty = 0;
  for (std::size_t i = 0; i < to.size(); ++i) {
    const double value =
        (static_cast<double>(from[i * stride]) - offset) * scale;
    to[i] = is_sound(value) ? static_cast<float>(value) : 0.0F;
    faulty += is_sound(value) ? 0 : 1;
  }
  return faulty;
}

template <class T>
std::int64_t copy_all(const AVFrame& frame, double offset, double scale,
                      Planes& out) {
  const bool is_planar =
      av_sample_fmt_is_planar(static_cast<AVSampleFormat>(frame.format)) != 0;
  const std::size_t channels = out.size();
  std::int64_t faulty = 0;
  for (std::size_t c = 0; c < channels; ++c) {
    const auto* plane =
        reinterpret_cast<const T*>(frame.extended_data[is_planar ? c : 0]);
    faulty += copy(is_planar ? plane : plane + c, is_planar ? 1 : channels,
                   offset, scale, out[c]);
  }
  return faulty;
}

}  // namespace

std::int64_t to_planes(const AVFrame& frame, Planes& out) {
  out.resize(static_cast<std::size_t>(frame.ch_layout.nb_channels));
  for (auto& plane : out) {
    plane.resize(static_cast<std::size_t>(frame.nb_samples));
  }
  switch (av_get_packed_sample_fmt(static_cast<AVSampleFormat>(frame.format))) {
    case AV_SAMPLE_FMT_U8:
      return copy_all<std::uint8_t>(frame, 128, 1.0 / 128, out);
    case AV_SAMPLE_FMT_S16:
      return copy_all<std::int16_t>(frame, 0, 1.0 / 32768, out);
    case AV_SAMPLE_FMT_S32:
      return copy_all<std::int32_t>(frame, 0, 1.0 / 2147483648.0, out);
    case AV_SAMPLE_FMT_S64:
      return copy_all<std::int64_t>(frame, 0, 1.0 / 9223372036854775808.0, out);
    case AV_SAMPLE_FMT_FLT:
      return copy_all<float>(frame, 0, 1, out);
    case AV_SAMPLE_FMT_DBL:
      return copy_all<double>(frame, 0, 1, out);
    default:
      throw Error(Code::kData, str("samples in the form ", frame.format,
                                   " are not understood"));
  }
}

}  // namespace penstock::media
