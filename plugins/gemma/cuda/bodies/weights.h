// How bodies read a matrix of weights, whatever its format: WeightRow<W> is one
// row of it, whose reads are 16 bytes and become floats eight (or, of f32,
// four) at a time.
//
// W says the format: float, Bf16, Int8 or Int4. Codes become floats without a
// conversion, which is slow: bits are put behind the exponent of a power of two
// that is then taken off again by the multiplication with the scale.
#pragma once

#include "gemma/cuda/bodies/arithmetic.h"
#include "gemma/cuda/matrix.h"

namespace penstock::gemma::cuda {

using gpu::Half;

struct Int8 {};
struct Int4 {};

/// What is multiplied by weights W.
template <class W>
struct ActFor {
  using Type = Bf16;
};
template <>
struct ActFor<float> {
  using Type = float;
};
template <class W>
using ActOf = typename ActFor<W>::Type;

/// Whether W is codes.
template <class W>
inline constexpr bool is_coded = false;
template <>
inline constexpr bool is_coded<Int8> = true;
template <>
inline constexpr bool is_coded<Int4> = true;

/// Byte i of a word, plus 2^15.
PENSTOCK_GPU float byte_number(std::uint32_t word, int i) {
#ifdef __CUDA_ARCH__
  return __uint_as_float(__byte_perm(
      word, 0x47000000U, 0x7604U | static_cast<std::uint32_t>(i) << 4));
#else
  return std::bit_cast<float>(0x47000000U | (word >> (8 * i) & 0xffU) << 8);
#endif
}
inline constexpr float kByteBase = 32768 + 128;  ///< of code 0

/// Nibbles i and i + 4 of a word, plus 2^7.
PENSTOCK_GPU void nibble_numbers(std::uint32_t word, int i, float& low,
                                 float& high) {
  const std::uint32_t two = (word >> (4 * i) & 0x000f000fU) | 0x43004300U;
  low = std::bit_cast<float>(two << 16);
  high = std::bit_cast<float>(two & 0xffff0000U);
}

/// A row of numbers.
template <class W, BlockOfThreads Block>
struct WeightRow {
  static constexpr int kColumns = Wide<W>::kCount;  ///< of a read
  static constexpr int kChunk = kColumns;           ///< of an unpack()
  static constexpr int kUnroll = 2;                 ///< reads under way

  struct Read {
    Wide<W> numbers{};

    PENSTOCK_GPU void unpack(int /*place*/, float (&to)[kChunk]) const {
      gpu::unpack(numbers, to);
    }
  };
  PENSTOCK_GPU static int column(int /*place*/, int first) { return first; }

  typename Block::template Global<const W> at;

  PENSTOCK_GPU WeightRow(Block& block, const Matrix& m, std::int64_t row,
                         int columns)
      : at(block.global(static_cast<const W*>(m.numbers), "weight") +
           row * columns) {}
  PENSTOCK_GPU Read read(Block& block, int k) const {
    return {block.stream(at + k)};
  }
  /// Asks for columns [begin, end), long before they are read.
  PENSTOCK_GPU void prefetch(Block& block, int begin, int end) const {
    constexpr int kLine = 128 / static_cast<int>(sizeof(W));
    for (int k = begin + block.lane() * kLine; k < end; k += kWarp * kLine) {
      block.prefetch(at + k);
    }
  }
};

/// What rows of codes have in common.
template <WeightFormat kFormat, BlockOfThreads Block>
struct CodeRow {
  static constexpr int kColumns = unit_columns(kFormat);
  static constexpr int kChunk = 8;
  static constexpr int kUnroll = 1;
  static constexpr int kWordCodes = kColumns / 4;

  PENSTOCK_GPU static int column(int place, int first) {
    return chunk_column(kFormat, place, first);
  }

  typename Block::template Global<const std::uint32_t> codes;
  typename Block::template Global<const Half> scales;
  int minimums, group_bits;

  PENSTOCK_GPU CodeRow(Block& block, const Matrix& m, std::int64_t row,
                       int columns)
      : codes(block.global(static_cast<const std::uint32_t*>(m.numbers),
                           "codes") +
              row * (columns / kWordCodes)),
        scales(block.global(reinterpret_cast<const Half*>(m.scales), "scales") +
               row * (columns >> m.group_bits)),
        minimums(m.minimums),
        group_bits(m.group_bits) {}
  [[nodiscard]] PENSTOCK_GPU float scale(int k) const {
    const Half number = scales[k >> group_bits];
    return to_float(number);
  }
  [[nodiscard]] PENSTOCK_GPU float minimum(int k) const {
    if (minimums == 0) return 0;
    const Half number = scales[(k >> group_bits) + minimums];
    return to_float(number);
  }
  PENSTOCK_GPU void prefetch(Block& block, int begin, int end) const {
    constexpr int kLine = kWordCodes * 32;  // columns of 128 bytes of codes
    for (int k = begin + block.lane() * kLine; k < end; k += kWarp * kLine) {
      block.prefetch(codes + k / kWordCodes);
      block.prefetch(scales + (k >> group_bits));
    }
  }
};

template <BlockOfThreads Block>
struct WeightRow<Int8, Block> : CodeRow<WeightFormat::kInt8, Block> {
  using Base = CodeRow<WeightFormat::kInt8, Block>;
  using Base::Base;

  struct Read {
    Wide<std::uint32_t> codes{};
    float scale = 0, minimum = 0;
    bool has_minimum = false;

    /// Exact but for the minimum: base and scale have 9 and 11 bits.
    PENSTOCK_GPU void unpack(int place, float (&to)[8]) const {
      const float base = -kByteBase * scale;
      PENSTOCK_UNROLL
      for (int i = 0; i < 8; ++i) {
        const float number = byte_number(codes.at[2 * place + i / 4], i % 4);
        to[i] = fmaf(number, scale, base);
        if (has_minimum) to[i] -= minimum;
      }
    }
  };
  PENSTOCK_GPU WeightRow(Block& block, const Matrix& m, std::int64_t row,
                         int columns)
      : Base(block, m, row, columns) {}
  PENSTOCK_GPU Read read(Block& block, int k) const {
    return {block.stream(this->codes + k / Base::kWordCodes), this->scale(k),
            this->minimum(k), this->minimums != 0};
  }
};

template <BlockOfThreads Block>
struct WeightRow<Int4, Block> : CodeRow<WeightFormat::kInt4, Block> {
  using Base = CodeRow<WeightFormat::kInt4, Block>;
  float zero;  ///< of the matrix, as nibble_numbers() has it

  struct Read {
    Wide<std::uint32_t> codes{};
    float scale = 0, base = 0;

    /// Exact without a minimum; with one to 2^-17 of the scale.
    PENSTOCK_GPU void unpack(int place, float (&to)[8]) const {
      PENSTOCK_UNROLL
      for (int i = 0; i < 4; ++i) {
        float low;
        float high;
        nibble_numbers(codes.at[place], i, low, high);
        to[2 * i] = fmaf(low, scale, base);
        to[2 * i + 1] = fmaf(high, scale, base);
      }
    }
  };
  PENSTOCK_GPU WeightRow(Block& block, const Matrix& m, std::int64_t row,
                         int columns)
      : Base(block, m, row, columns), zero(m.zero) {}
  PENSTOCK_GPU Read read(Block& block, int k) const {
    const float scale = this->scale(k);
    return {block.stream(this->codes + k / Base::kWordCodes), scale,
            -(zero * scale) - this->minimum(k)};
  }
};

/// Asks for columns [begin, end) of two rows, long before they are read. They
/// must be constant.
template <class W, BlockOfThreads Block>
PENSTOCK_GPU void prefetch_two(Block& block, const WeightRow<W, Block>& first,
                               const WeightRow<W, Block>& second, int begin,
                               int end) {
  first.prefetch(block, begin, end);
  second.prefetch(block, begin, end);
}

/// Adds to sums[o * kRows + r] this lane's part of weight row o (of two) times
/// row r, over columns [begin, end), multiples of 8 (of codes, of a unit). Rows
/// are `stride` apart; there are `count`, beyond which the last is taken again.
template <int kRows, class W, BlockOfThreads Block, class Rows>
PENSTOCK_GPU void dot_two(Block& block, const WeightRow<W, Block>& first,
                          const WeightRow<W, Block>& second, Rows rows,
                          int count, int stride, int begin, int end,
                          float (&sums)[2 * kRows]) {
  using Row = WeightRow<W, Block>;
  constexpr int kChunk = Row::kChunk;
#ifdef __CUDACC__
#pragma unroll Row::kUnroll
#endif
  for (int k = begin + block.lane() * Row::kColumns; k < end;
       k += kWarp * Row::kColumns) {
    const auto one = first.read(block, k);
    const auto two = second.read(block, k);
    PENSTOCK_UNROLL
    for (int place = 0; place < Row::kColumns / kChunk; ++place) {
      float a[kChunk];
      float b[kChunk];
      one.unpack(place, a);
      two.unpack(place, b);
      const int at = Row::column(place, k);
      PENSTOCK_UNROLL
      for (int r = 0; r < kRows; ++r) {
        const Wide<ActOf<W>> row =
            block.load(rows + (least(r, count - 1) * stride + at));
        PENSTOCK_UNROLL
        for (int i = 0; i < kChunk; ++i) {
          const float x = to_float(row.at[i]);
          sums[r] += a[i] * x;
          sums[kRows + r] += b[i] * x;
        }
      }
    }
  }
}

}  // namespace penstock::gemma::cuda
