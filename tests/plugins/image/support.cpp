#include "tests/plugins/image/support.h"

#include <ATen/ops/empty.h>

#include <array>
#include <bit>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "penstock/models.h"

namespace penstock::image {
namespace {

constexpr std::array<std::uint32_t, 64> kRound{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

using State = std::array<std::uint32_t, 8>;

/// FIPS 180-4, one block of 64 bytes.
void add_block(State& state, const unsigned char* block) {
  std::array<std::uint32_t, 64> w{};
  for (std::size_t i = 0; i < 16; ++i) {
    for (std::size_t k = 0; k < 4; ++k) w[i] = w[i] << 8U | block[4 * i + k];
  }
  for (std::size_t i = 16; i < 64; ++i) {
    const auto a = w[i - 15];
    const auto b = w[i - 2];
    w[i] = w[i - 16] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ a >> 3U) +
           w[i - 7] + (std::rotr(b, 17) ^ std::rotr(b, 19) ^ b >> 10U);
  }
  State s = state;
  for (std::size_t i = 0; i < 64; ++i) {
    const auto sum1 =
        std::rotr(s[4], 6) ^ std::rotr(s[4], 11) ^ std::rotr(s[4], 25);
    const auto choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
    const auto one = s[7] + sum1 + choice + kRound[i] + w[i];
    const auto sum0 =
        std::rotr(s[0], 2) ^ std::rotr(s[0], 13) ^ std::rotr(s[0], 22);
    const auto most = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
    s = {one + sum0 + most, s[0], s[1], s[2], s[3] + one, s[4], s[5], s[6]};
  }
  for (std::size_t i = 0; i < 8; ++i) state[i] += s[i];
}

}  // namespace

nlohmann::json golden(const std::string& name) {
  return nlohmann::json::parse(
      file_bytes(PENSTOCK_SOURCE_DIR "/tests/golden/image/" + name));
}

std::string fixture(const std::string& name) {
  return file_bytes(PENSTOCK_SOURCE_DIR "/tests/fixtures/pictures/" + name);
}

std::string file_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

std::filesystem::path media_folder() { return cache_folder() / "media"; }

at::Tensor noise(std::int64_t height, std::int64_t width, std::uint32_t seed) {
  auto out = at::empty({height, width, 3}, at::kByte);
  auto* to = out.mutable_data_ptr<std::uint8_t>();
  for (std::int64_t i = 0; i < out.numel(); ++i) {
    seed = 1664525U * seed + 1013904223U;
    to[i] = static_cast<std::uint8_t>(seed >> 24U);
  }
  return out;
}

at::Tensor clouds(std::int64_t height, std::int64_t width, std::uint32_t seed) {
  constexpr std::int64_t kStep = 8;
  const auto lattice = noise(height / kStep + 2, width / kStep + 2, seed);
  const auto* from = lattice.const_data_ptr<std::uint8_t>();
  const std::int64_t stride = lattice.size(1) * 3;
  auto out = at::empty({height, width, 3}, at::kByte);
  auto* to = out.mutable_data_ptr<std::uint8_t>();
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      for (std::int64_t c = 0; c < 3; ++c) {
        const auto* at = from + y / kStep * stride + x / kStep * 3 + c;
        const std::int64_t fx = x % kStep;
        const std::int64_t fy = y % kStep;
        const std::int64_t upper = (kStep - fx) * at[0] + fx * at[3];
        const std::int64_t lower =
            (kStep - fx) * at[stride] + fx * at[stride + 3];
        *to++ = static_cast<std::uint8_t>(((kStep - fy) * upper + fy * lower) /
                                          (kStep * kStep));
      }
    }
  }
  return out;
}

std::string digest(const at::Tensor& tensor) {
  const auto whole = tensor.contiguous();
  const auto* from = static_cast<const unsigned char*>(whole.const_data_ptr());
  std::size_t left = whole.nbytes();
  State state{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
              0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  const std::uint64_t bits = std::uint64_t{left} * 8;
  for (; left >= 64; left -= 64, from += 64) add_block(state, from);
  std::vector<unsigned char> rest(from, from + left);
  rest.push_back(0x80);
  while (rest.size() % 64 != 56) rest.push_back(0);
  for (int shift = 56; shift >= 0; shift -= 8) {
    rest.push_back(static_cast<unsigned char>(bits >> shift & 0xFFU));
  }
  for (std::size_t at = 0; at < rest.size(); at += 64) {
    add_block(state, rest.data() + at);
  }
  std::ostringstream hex;
  hex << std::hex;
  for (std::size_t i = 0; i < 2; ++i) {
    hex.width(8);
    hex.fill('0');
    hex << state[i];
  }
  return hex.str();
}

}  // namespace penstock::image
