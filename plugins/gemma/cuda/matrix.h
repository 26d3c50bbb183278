// A matrix of weights in a device's memory, as the kernels read it: numbers, or
// small codes with a scale for a group of them.
//
// Rows are outputs, one after the other, without gaps. Codes are read 16 bytes
// a thread: 16 codes of 8 bits or 32 of 4, a unit, which lies within one row
// and one group. In a unit the columns stand eight by eight, turned such that
// the eight threads whose reads of shared memory are one transaction read
// different banks while they multiply their first, second, ... eight: place p
// of unit u holds the columns of chunk_column(p, first column of u).
//
//   int8  bytes code + 128, columns in their order
//   int4  a word is eight columns: column 2 i is nibble i, column 2 i + 1 is
//         nibble i + 4, so that a shift and a mask give two side by side
#pragma once

#include <cstdint>

namespace penstock::gemma::cuda {

/// Of the cache and of products, and of weights that are numbers.
enum class NumberType : std::uint8_t { kF32, kBf16 };
[[nodiscard]] constexpr int bytes_of(NumberType type) {
  return type == NumberType::kF32 ? 4 : 2;
}

enum class WeightFormat : std::uint8_t {
  kPlain,  ///< numbers of the engine's type
  kInt8,   ///< scale * code - minimum
  kInt4,   ///< scale * (code - zero) - minimum
};

/// Columns of 16 bytes of codes.
[[nodiscard]] constexpr int unit_columns(WeightFormat format) {
  return format == WeightFormat::kInt4 ? 32 : 16;
}

/// First of the eight columns at a place of the unit that begins with `first`.
[[nodiscard]] constexpr int chunk_column(WeightFormat format, int place,
                                         int first) {
  const int chunks = unit_columns(format) / 8;
  return first + (place + first / 64) % chunks * 8;
}

/// On the device; trivially copyable, a member of kernels' params.
struct Matrix {
  const void* numbers = nullptr;          ///< or codes; on 16 bytes
  const std::uint16_t* scales = nullptr;  ///< f16 [rows, groups of a row]
  /// Numbers from the first scale to the first minimum, which lie as the scales
  /// do; 0: all minimums are 0.
  std::int32_t minimums = 0;
  std::int32_t group_bits = 5;  ///< log2 of a group's columns: 4 or 5
  float zero = 0;               ///< of kInt4, 128 + the zero
  WeightFormat format = WeightFormat::kPlain;

  constexpr Matrix() = default;
  // NOLINTNEXTLINE(*-explicit-*): numbers are a matrix
  constexpr Matrix(const void* plain) : numbers(plain) {}
};

}  // namespace penstock::gemma::cuda
