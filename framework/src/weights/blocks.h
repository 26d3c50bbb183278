// The quantised block layouts of ggml and what each says.
//
// A type has `kElements`, `kBytes` and `decode`, which hands kElements codes to
// a sink, group by group in order, each group with its scale, and returns
// whether the block's scales are finite. A sink (sinks.h) has one method for
// each way a number is made of its code q:
//
//   centred(q, scale, zero)     scale * (q - zero)
//   plus(q, scale, minimum)     scale * q + minimum
//   minus(q, scale, minimum)    scale * q - minimum
//
// decode first gathers the codes in a small array, which keeps the loops
// vectorisable.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "weights/half.h"

namespace penstock::weights {

using Bytes = const std::uint8_t* __restrict;

inline std::uint16_t load_half(Bytes bytes) {
  std::uint16_t half = 0;
  std::memcpy(&half, bytes, sizeof(half));
  return half;
}

/// Blocks of 32 with one scale, and for the `_1` types one minimum.
inline constexpr std::size_t kSmallBlock = 32;

/// 16 bytes to 32 numbers of 0 to 15: low nibbles first, then high ones.
inline void split_nibbles(Bytes packed, std::uint8_t* __restrict out) {
  for (std::size_t i = 0; i < kSmallBlock / 2; ++i) {
    out[i] = packed[i] & 0x0fU;
    out[i + kSmallBlock / 2] = packed[i] >> 4U;
  }
}

/// Adds bit i of the 4 bytes `high` to out[i], as 16.
inline void add_fifth_bits(Bytes high, std::uint8_t* __restrict out) {
  constexpr std::uint64_t kEach = 0x0101010101010101U;
  constexpr std::uint64_t kOneBitEach = 0x8040201008040201U;
  for (std::size_t i = 0; i < kSmallBlock / 8; ++i) {
    // Eight copies of the byte, a different bit kept in each; adding
    // 0x80 - bit then carries into the top bit exactly where it was set.
    const std::uint64_t kept = (high[i] * kEach) & kOneBitEach;
    const std::uint64_t top = kept + (0x80U * kEach - kOneBitEach);
    std::uint64_t values = 0;
    std::memcpy(&values, out + 8 * i, sizeof(values));
    values |= (top >> 3U) & (0x10U * kEach);
    std::memcpy(out + 8 * i, &values, sizeof(values));
  }
}

using SmallBlock = std::array<std::uint8_t, kSmallBlock>;

// The types below have ggml's names.
// NOLINTBEGIN(readability-identifier-naming)

/// scale, 32 signed bytes
struct Q8_0 {
  static constexpr std::size_t kElements = kSmallBlock;
  static constexpr std::size_t kBytes = 34;
  template <class Sink>
  static bool decode(Bytes block, Sink& sink) {
    const auto half = load_half(block);
    SmallBlock q{};
    for (std::size_t i = 0; i < kSmallBlock; ++i) q[i] = block[2 + i] ^ 0x80U;
    sink.centred(q, half_to_float(half), /*zero=*/128);
    return half_is_finite(half);
  }
};

/// scale, 16 bytes of nibbles
struct Q4_0 {
  static constexpr std::size_t kElements = kSmallBlock;
  static constexpr std::size_t kBytes = 18;
  template <class Sink>
  static bool decode(Bytes block, Sink& sink) {
    const auto half = load_half(block);
    SmallBlock q{};
    split_nibbles(block + 2, q.data());
    sink.centred(q, half_to_float(half), /*zero=*/8);
    return half_is_finite(half);
  }
};

/// scale, minimum, 16 bytes of nibbles
struct Q4_1 {
  static constexpr std::size_t kElements = kSmallBlock;
  static constexpr std::size_t kBytes = 20;
  template <class Sink>
  static bool decode(Bytes block, Sink& sink) {
    const auto half = load_half(block);
    const auto minimum = load_half(block + 2);
    SmallBlock q{};
    split_nibbles(block + 4, q.data());
    sink.plus(q, half_to_float(half), half_to_float(minimum));
    return half_is_finite(half) && half_is_finite(minimum);
  }
};

/// scale, 4 bytes of fifth bits, 16 bytes of nibbles
struct Q5_0 {
  static constexpr std::size_t kElements = kSmallBlock;
  static constexpr std::size_t kBytes = 22;
  template <class Sink>
  static bool decode(Bytes block, Sink& sink) {
    const auto half = load_half(block);
    SmallBlock q{};
    split_nibbles(block + 6, q.data());
    add_fifth_bits(block + 2, q.data());
    sink.centred(q, half_to_float(half), /*zero=*/16);
    return half_is_finite(half);
  }
};

/// scale, minimum, 4 bytes of fifth bits, 16 bytes of nibbles
struct Q5_1 {
  static constexpr std::size_t kElements = kSmallBlock;
  static constexpr std::size_t kBytes = 24;
  template <class Sink>
  static bool decode(Bytes block, Sink& sink) {
    const auto half = load_half(block);
    const auto minimum = load_half(block + 2);
    SmallBlock q{};
    split_nibbles(block + 8, q.data());
    add_fifth_bits(block + 4, q.data());
    sink.plus(q, half_to_float(half), half_to_float(minimum));
    return half_is_finite(half) && half_is_finite(minimum);
  }
};

/// scale, 16 bytes of nibbles that count in an uneven table
struct IQ4_NL {
  static constexpr std::size_t kElements = kSmallBlock;
  static constexpr std::size_t kBytes = 18;
  /// ggml's table plus 128.
  static constexpr std::array<std::uint8_t, 16> kTable = {
      1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241};
  template <class Sink>
  static bool decode(Bytes block, Sink& sink) {
    const auto half = load_half(block);
    SmallBlock q{};
    split_nibbles(block + 2, q.data());
    for (std::uint8_t& code : q) code = kTable[code];
    sink.centred(q, half_to_float(half), /*zero=*/128);
    return half_is_finite(half);
  }
};

// NOLINTEND(readability-identifier-naming)

}  // namespace penstock::weights
