// The "K" block layouts of ggml: 256 numbers with scales of their own for
// each 16 or 32 of them. See blocks.h for what decode promises.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "blocks.h"

namespace penstock::weights {

inline constexpr std::size_t kBigBlock = 256;
/// Numbers unpacked by one loop, and the fewest that share a scale.
inline constexpr std::size_t kChunk = 32;
inline constexpr std::size_t kHalfChunk = 16;
inline constexpr std::size_t kChunks = kBigBlock / kChunk;

/// The scales and minimums of Q4_K and Q5_K: 6 bits each in 12 bytes.
struct SixBitScales {
  std::array<std::uint8_t, kChunks> scale{};
  std::array<std::uint8_t, kChunks> minimum{};

  explicit SixBitScales(Bytes packed) {
    for (std::size_t i = 0; i < kChunks / 2; ++i) {
      const unsigned low = packed[i];
      const unsigned middle = packed[i + 4];
      const unsigned high = packed[i + 8];
      scale[i] = low & 63U;
      minimum[i] = middle & 63U;
      scale[i + 4] =
          static_cast<std::uint8_t>((high & 15U) | ((low >> 6U) << 4U));
      minimum[i + 4] =
          static_cast<std::uint8_t>((high >> 4U) | ((middle >> 6U) << 4U));
    }
  }
};

/// scale * q - minimum, for `count` numbers
inline void scale_chunk(Bytes q, std::size_t count, float scale, float minimum,
                        Floats out) {
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = scale * static_cast<float>(q[i]) - minimum;
  }
}

// The types below have ggml's names.
// NOLINTBEGIN(readability-identifier-naming)

/// 16 bytes of scale and minimum nibbles, 64 of 2 bits, scale, minimum
struct Q2_K {
  static constexpr std::size_t kElements = kBigBlock;
  static constexpr std::size_t kBytes = 84;
  static bool decode(Bytes block, Floats out) {
    const auto half = load_half(block + 80);
    const auto half_minimum = load_half(block + 82);
    const float scale = half_to_float(half);
    const float minimum = half_to_float(half_minimum);
    for (std::size_t chunk = 0; chunk < kChunks; ++chunk) {
      Bytes packed = block + 16 + chunk / 4 * kChunk;
      std::array<std::uint8_t, kChunk> q{};
      for (std::size_t i = 0; i < kChunk; ++i) {
        q[i] = (packed[i] >> (chunk % 4 * 2)) & 3U;
      }
      for (std::size_t part = 0; part < 2; ++part) {
        const unsigned both = block[2 * chunk + part];
        scale_chunk(q.data() + part * kHalfChunk, kHalfChunk,
                    scale * static_cast<float>(both & 15U),
                    minimum * static_cast<float>(both >> 4U),
                    out + chunk * kChunk + part * kHalfChunk);
      }
    }
    return half_is_finite(half) && half_is_finite(half_minimum);
  }
};

/// 32 bytes of third bits, 64 of 2 bits, 12 of 6-bit scales, scale
struct Q3_K {
  static constexpr std::size_t kElements = kBigBlock;
  static constexpr std::size_t kBytes = 110;

  static float small_scale(Bytes packed, std::size_t index) {
    const unsigned low = packed[index % 8] >> (index / 8 * 4) & 15U;
    const unsigned high = packed[8 + index % 4] >> (index / 4 * 2) & 3U;
    return static_cast<float>(static_cast<int>(low | high << 4U) - 32);
  }

  static bool decode(Bytes block, Floats out) {
    const auto half = load_half(block + 108);
    const float scale = half_to_float(half);
    for (std::size_t chunk = 0; chunk < kChunks; ++chunk) {
      Bytes packed = block + 32 + chunk / 4 * kChunk;
      for (std::size_t part = 0; part < 2; ++part) {
        const float small = scale * small_scale(block + 96, 2 * chunk + part);
        for (std::size_t i = part * kHalfChunk; i < (part + 1) * kHalfChunk;
             ++i) {
          const int low = packed[i] >> (chunk % 4 * 2) & 3;
          const int high = block[i] >> chunk & 1;  // clear: 4 less
          out[chunk * kChunk + i] =
              small * static_cast<float>(low + 4 * high - 4);
        }
      }
    }
    return half_is_finite(half);
  }
};

/// scale, minimum, 12 bytes of 6-bit scales, 128 of nibbles
struct Q4_K {
  static constexpr std::size_t kElements = kBigBlock;
  static constexpr std::size_t kBytes = 144;
  static bool decode(Bytes block, Floats out) {
    const auto half = load_half(block);
    const auto half_minimum = load_half(block + 2);
    const float scale = half_to_float(half);
    const float minimum = half_to_float(half_minimum);
    const SixBitScales small(block + 4);
    for (std::size_t chunk = 0; chunk < kChunks; ++chunk) {
      Bytes packed = block + 16 + chunk / 2 * kChunk;
      std::array<std::uint8_t, kChunk> q{};
      for (std::size_t i = 0; i < kChunk; ++i) {
        q[i] = packed[i] >> (chunk % 2 * 4) & 15U;
      }
      scale_chunk(q.data(), kChunk,
                  scale * static_cast<float>(small.scale[chunk]),
                  minimum * static_cast<float>(small.minimum[chunk]),
                  out + chunk * kChunk);
    }
    return half_is_finite(half) && half_is_finite(half_minimum);
  }
};

/// scale, minimum, 12 bytes of 6-bit scales, 32 of fifth bits, 128 of nibbles
struct Q5_K {
  static constexpr std::size_t kElements = kBigBlock;
  static constexpr std::size_t kBytes = 176;
  static bool decode(Bytes block, Floats out) {
    const auto half = load_half(block);
    const auto half_minimum = load_half(block + 2);
    const float scale = half_to_float(half);
    const float minimum = half_to_float(half_minimum);
    const SixBitScales small(block + 4);
    Bytes high = block + 16;
    for (std::size_t chunk = 0; chunk < kChunks; ++chunk) {
      Bytes packed = block + 48 + chunk / 2 * kChunk;
      std::array<std::uint8_t, kChunk> q{};
      for (std::size_t i = 0; i < kChunk; ++i) {
        q[i] = static_cast<std::uint8_t>((packed[i] >> (chunk % 2 * 4) & 15U) |
                                         ((high[i] >> chunk & 1U) << 4U));
      }
      scale_chunk(q.data(), kChunk,
                  scale * static_cast<float>(small.scale[chunk]),
                  minimum * static_cast<float>(small.minimum[chunk]),
                  out + chunk * kChunk);
    }
    return half_is_finite(half) && half_is_finite(half_minimum);
  }
};

/// 128 bytes of nibbles, 64 of 2 high bits, 16 signed scales, scale
struct Q6_K {
  static constexpr std::size_t kElements = kBigBlock;
  static constexpr std::size_t kBytes = 210;
  static bool decode(Bytes block, Floats out) {
    const auto half = load_half(block + 208);
    const float scale = half_to_float(half);
    for (std::size_t chunk = 0; chunk < kChunks; ++chunk) {
      const auto in_half = chunk % 4;
      Bytes low = block + chunk / 4 * 64 + in_half % 2 * kChunk;
      Bytes high = block + 128 + chunk / 4 * kChunk;
      for (std::size_t part = 0; part < 2; ++part) {
        const auto small =
            static_cast<std::int8_t>(block[192 + 2 * chunk + part]);
        const float scaled = scale * static_cast<float>(small);
        for (std::size_t i = part * kHalfChunk; i < (part + 1) * kHalfChunk;
             ++i) {
          const int q = (low[i] >> (in_half / 2 * 4) & 15) |
                        ((high[i] >> (in_half * 2) & 3) << 4);
          out[chunk * kChunk + i] = scaled * static_cast<float>(q - 32);
        }
      }
    }
    return half_is_finite(half);
  }
};

// NOLINTEND(readability-identifier-naming)

}  // namespace penstock::weights
