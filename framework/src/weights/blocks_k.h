// The "K" block layouts of ggml: 256 numbers with scales of their own for
// each 16 or 32 of them. See blocks.h for what decode promises.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "weights/blocks.h"

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

using HalfChunk = std::array<std::uint8_t, kHalfChunk>;

// The types below have ggml's names.
// NOLINTBEGIN(readability-identifier-naming)

/// 16 bytes of scale and minimum nibbles, 64 of 2 bits, scale, minimum
struct Q2_K {
  static constexpr std::size_t kElements = kBigBlock;
  static constexpr std::size_t kBytes = 84;
  template <class Sink>
  static bool decode(Bytes block, Sink& sink) {
    const auto half = load_half(block + 80);
    const auto half_minimum = load_half(block + 82);
    const float scale = half_to_float(half);
    const float minimum = half_to_float(half_minimum);
    for (std::size_t chunk = 0; chunk < kChunks; ++chunk) {
      Bytes packed = block + 16 + chunk / 4 * kChunk;
      for (std::size_t part = 0; part < 2; ++part) {
        HalfChunk q{};
        for (std::size_t i = 0; i < kHalfChunk; ++i) {
          q[i] = (packed[part * kHalfChunk + i] >> (chunk % 4 * 2)) & 3U;
        }
        const unsigned both = block[2 * chunk + part];
        sink.minus(q, scale * static_cast<float>(both & 15U),
                   minimum * static_cast<float>(both >> 4U));
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

  template <class Sink>
  static bool decode(Bytes block, Sink& sink) {
    const auto half = load_half(block + 108);
    const float scale = half_to_float(half);
    for (std::size_t chunk = 0; chunk < kChunks; ++chunk) {
      Bytes packed = block + 32 + chunk / 4 * kChunk;
      for (std::size_t part = 0; part < 2; ++part) {
        HalfChunk q{};
        for (std::size_t i = 0; i < kHalfChunk; ++i) {
          const std::size_t from = part * kHalfChunk + i;
          const unsigned low = packed[from] >> (chunk % 4 * 2) & 3U;
          const unsigned high = block[from] >> chunk & 1U;
          q[i] = static_cast<std::uint8_t>(low | high << 2U);
        }
        sink.centred(q, scale * small_scale(block + 96, 2 * chunk + part),
                     /*zero=*/4);
      }
    }
    return half_is_finite(half);
  }
};

/// scale, minimum, 12 bytes of 6-bit scales, 128 of nibbles
struct Q4_K {
  static constexpr std::size_t kElements = kBigBlock;
  static constexpr std::size_t kBytes = 144;
  template <class Sink>
  static bool decode(Bytes block, Sink& sink) {
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
      sink.minus(q, scale * static_cast<float>(small.scale[chunk]),
                 minimum * static_cast<float>(small.minimum[chunk]));
    }
    return half_is_finite(half) && half_is_finite(half_minimum);
  }
};

/// scale, minimum, 12 bytes of 6-bit scales, 32 of fifth bits, 128 of nibbles
struct Q5_K {
  static constexpr std::size_t kElements = kBigBlock;
  static constexpr std::size_t kBytes = 176;
  template <class Sink>
  static bool decode(Bytes block, Sink& sink) {
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
      sink.minus(q, scale * static_cast<float>(small.scale[chunk]),
                 minimum * static_cast<float>(small.minimum[chunk]));
    }
    return half_is_finite(half) && half_is_finite(half_minimum);
  }
};

/// 128 bytes of nibbles, 64 of 2 high bits, 16 signed scales, scale
struct Q6_K {
  static constexpr std::size_t kElements = kBigBlock;
  static constexpr std::size_t kBytes = 210;
  template <class Sink>
  static bool decode(Bytes block, Sink& sink) {
    const auto half = load_half(block + 208);
    const float scale = half_to_float(half);
    for (std::size_t chunk = 0; chunk < kChunks; ++chunk) {
      const auto in_half = chunk % 4;
      Bytes low = block + chunk / 4 * 64 + in_half % 2 * kChunk;
      Bytes high = block + 128 + chunk / 4 * kChunk;
      for (std::size_t part = 0; part < 2; ++part) {
        const auto small =
            static_cast<std::int8_t>(block[192 + 2 * chunk + part]);
        HalfChunk q{};
        for (std::size_t i = 0; i < kHalfChunk; ++i) {
          const std::size_t from = part * kHalfChunk + i;
          const unsigned top = high[from] >> (in_half * 2) & 3U;
          q[i] = static_cast<std::uint8_t>(
              (low[from] >> (in_half / 2 * 4) & 15U) | top << 4U);
        }
        sink.centred(q, scale * static_cast<float>(small), /*zero=*/32);
      }
    }
    return half_is_finite(half);
  }
};

// NOLINTEND(readability-identifier-naming)

}  // namespace penstock::weights
