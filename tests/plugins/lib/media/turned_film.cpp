#include "tests/plugins/lib/media/turned_film.h"

#include <array>
#include <cstdint>
#include <stdexcept>

namespace penstock::media {
namespace {

constexpr std::int32_t kOne = 1 << 16;

std::int32_t get_int(const std::string& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value = value << 8U | static_cast<std::uint8_t>(bytes.at(at + i));
  }
  return static_cast<std::int32_t>(value);
}

void put_int(std::string& bytes, std::size_t at, std::int32_t value) {
  for (std::size_t i = 0; i < 4; ++i) {
    bytes.at(at + i) = static_cast<char>(value >> (24 - 8 * i));
  }
}

}  // namespace

std::string turned_film(std::string bytes, int degrees) {
  const std::size_t box = bytes.find("tkhd");
  if (box == std::string::npos) throw std::runtime_error("no track header");
  // ISO 14496-12: after the name version and flags; times and durations are
  // longer in version 1.
  const std::size_t matrix = box + 4 + (bytes.at(box + 4) == 0 ? 40 : 52);
  const std::int32_t width = get_int(bytes, matrix + 36);
  const std::int32_t height = get_int(bytes, matrix + 40);
  std::array<std::int32_t, 6> turn = {0, kOne, -kOne, 0, height, 0};
  if (degrees == 180) turn = {-kOne, 0, 0, -kOne, width, height};
  if (degrees == 270) turn = {0, -kOne, kOne, 0, 0, width};
  const std::array<std::int32_t, 9> all = {
      turn[0], turn[1], 0, turn[2], turn[3], 0, turn[4], turn[5], 1 << 30};
  for (std::size_t i = 0; i < all.size(); ++i) {
    put_int(bytes, matrix + 4 * i, all.at(i));
  }
  return bytes;
}

}  // namespace penstock::media
