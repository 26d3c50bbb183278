#include "tests/plugins/lib/media/wav_file.h"

#include <utility>

namespace penstock::media {
namespace {

std::string number(std::uint32_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) {
    out += static_cast<char>((value >> (8 * i)) & 0xFFU);
  }
  return out;
}

}  // namespace

std::string to_bytes(const Wav& wav) {
  const std::uint32_t unit = wav.channels * wav.bits / 8U;
  const auto size = static_cast<std::uint32_t>(wav.data.size());
  return "RIFF" + number(36 + size, 4) + "WAVEfmt " + number(16, 4) +
         number(wav.form, 2) + number(wav.channels, 2) + number(wav.rate, 4) +
         number(wav.rate * unit, 4) + number(unit, 2) + number(wav.bits, 2) +
         "data" + number(size, 4) + wav.data;
}

std::string int16_data(const std::vector<int>& samples) {
  std::string out;
  for (const int sample : samples) {
    out += number(static_cast<std::uint32_t>(sample), 2);
  }
  return out;
}

std::shared_ptr<const std::string> shared(std::string bytes) {
  return std::make_shared<const std::string>(std::move(bytes));
}

}  // namespace penstock::media
