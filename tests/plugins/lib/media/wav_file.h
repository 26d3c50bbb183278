// WAV files made in a test, whole or wrong.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace penstock::media {

struct Wav {
  std::uint16_t form = 1;  ///< 1: integers, 3: floats
  std::uint16_t channels = 1;
  std::uint32_t rate = 16000;
  std::uint16_t bits = 16;
  std::string data;  ///< little-endian samples, interleaved
};

[[nodiscard]] std::string to_bytes(const Wav& wav);
/// Samples as 16-bit integers.
[[nodiscard]] std::string int16_data(const std::vector<int>& samples);
[[nodiscard]] std::shared_ptr<const std::string> shared(std::string bytes);

}  // namespace penstock::media
