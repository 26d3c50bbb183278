#include "audio/wav.h"

#include <algorithm>
#include <cmath>
#include <limits>

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
std::int16_t pcm16(float sample) {
  const float clean = std::isnan(sample) ? 0.0F : sample;
  const float scaled = std::clamp(clean, -1.0F, 1.0F) * 32767.0F;
  return static_cast<std::int16_t>(std::lrintf(scaled));
}

/// `bytes` of samples; more than a file can hold: not known.
std::string head_of(std::int64_t sample_rate, std::int64_t channels,
                    std::uint64_t bytes, bool is_float) {
  constexpr std::uint64_t kUnknown = 0xFFFFFFFF;
  const std::uint64_t width = is_float ? 4 : 2;
  const auto frame = static_cast<std::uint64_t>(channels) * width;
  const auto rate = static_cast<std::uint64_t>(sample_rate);
  std::string out = "RIFF";
  put(out, std::min(36 + bytes, kUnknown), 4);
  out += "WAVEfmt ";
  put(out, 16, 4);
  put(out, is_float ? 3 : 1, 2);
  put(out, static_cast<std::uint64_t>(channels), 2);
  put(out, rate, 4);
  put(out, rate * frame, 4);
  put(out, frame, 2);
  put(out, 8 * width, 2);
  out += "data";
  put(out, std::min(bytes, kUnknown), 4);
  return out;
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
  std::string out = head_of(sample_rate, channels, bytes, is_float);
  if (!is_float) return out + bytes_of(pcm16_of(samples));
  const at::Tensor frames = samples.t().contiguous();
  return out.append(
      reinterpret_cast<const char*>(frames.const_data_ptr<float>()), bytes);
}

std::string wav_head(std::int64_t sample_rate, std::int64_t channels,
                     std::optional<std::int64_t> bytes) {
  const auto size = static_cast<std::uint64_t>(
      bytes.value_or(std::numeric_limits<std::int64_t>::max()));
  return head_of(sample_rate, channels, size, /*is_float=*/false);
}

std::vector<std::int16_t> pcm16_of(const at::Tensor& samples) {
  // Sample by sample, the channels side by side.
  const at::Tensor frames = samples.t().contiguous();
  const auto* const values = frames.const_data_ptr<float>();
  std::vector<std::int16_t> out(static_cast<std::size_t>(frames.numel()));
  std::transform(values, values + frames.numel(), out.begin(), pcm16);
  return out;
}

std::string bytes_of(std::span<const std::int16_t> samples) {
  std::string out;
  out.reserve(2 * samples.size());
  for (const std::int16_t sample : samples) {
    put(out, static_cast<std::uint16_t>(sample), 2);
  }
  return out;
}

}  // namespace penstock::audio
