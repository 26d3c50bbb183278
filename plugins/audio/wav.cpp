#include "audio/wav.h"

#include <algorithm>
#include <cmath>

#include "penstock/error.h"

namespace penstock::audio {
namespace {

/// Little endian, so many bytes.
void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) {
    out +=
        static_cast<char>((value >> (8U * static_cast<unsigned>(i))) & 0xFFU);
  }
}

/// The sample as 16 bits: what is louder than full scale is cut.
std::uint16_t pcm16(float sample) {
  const float clean = std::isnan(sample) ? 0.0F : sample;
  const float scaled = std::clamp(clean, -1.0F, 1.0F) * 32767.0F;
  return static_cast<std::uint16_t>(
      static_cast<std::int16_t>(std::lrintf(scaled)));
}

}  // namespace

std::string wav_of(const at::Tensor& samples, std::int64_t sample_rate,
                   bool is_float) {
  const std::int64_t channels = samples.size(0);
  const std::int64_t width = is_float ? 4 : 2;
  constexpr std::int64_t kMost = (std::int64_t{1} << 32) - 1024;
  if (channels > 0xFFFF || samples.numel() > kMost / width) {
    throw Error(
        Code::kData,
        str("a WAV file holds 4 GiB and 65535 channels; this sound has ",
            channels, " channels of ", samples.size(1), " samples"));
  }
  const auto bytes = static_cast<std::uint64_t>(samples.numel() * width);
  const auto frame = static_cast<std::uint64_t>(channels * width);
  const auto rate = static_cast<std::uint64_t>(sample_rate);
  std::string out = "RIFF";
  out.reserve(44 + bytes);
  put(out, 36 + bytes, 4);
  out += "WAVEfmt ";
  put(out, 16, 4);
  put(out, is_float ? 3 : 1, 2);
  put(out, static_cast<std::uint64_t>(channels), 2);
  put(out, rate, 4);
  put(out, rate * frame, 4);
  put(out, frame, 2);
  put(out, static_cast<std::uint64_t>(8 * width), 2);
  out += "data";
  put(out, bytes, 4);
  // Sample by sample, the channels side by side.
  const at::Tensor frames = samples.t().contiguous();
  const auto* values = frames.const_data_ptr<float>();
  if (is_float) {
    return out.append(reinterpret_cast<const char*>(values), bytes);
  }
  for (std::int64_t i = 0; i < frames.numel(); ++i) {
    put(out, pcm16(values[i]), 2);
  }
  return out;
}

}  // namespace penstock::audio
