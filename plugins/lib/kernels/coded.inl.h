// Products of quantised panels (Q8_0 to Q2_K) with 8-bit activations; included
// by kernels_*.cpp only.
#pragma once

#include <bit>

#include "lib/kernels/tiles.inl.h"

namespace penstock::kernels::PENSTOCK_LEVEL {
// Arrays of vector registers, which std::array would lose the attributes of;
// offsets within a block, far below an int's end.
// NOLINTBEGIN(*-avoid-c-arrays,
// bugprone-implicit-widening-of-multiplication-result)

/// Layout of one type's codes in a panel (README.md draws it). Each block of 32
/// columns has eight vectors of 4 codes a lane: bytes, or nibbles (vectors v
/// and v + 4 in one byte) followed by planes of higher bits. After the codes of
/// all blocks come all scales, then all minimums. kZero is the zero point, a
/// power of two, or 0 where there are minimums.
template <int kBitCount, int kGroupSize, int kZeroCode, bool kIsHalf>
struct Coding {
  static constexpr int kBits = kBitCount;
  static constexpr int kGroups = kBlock / kGroupSize;
  static constexpr int kZero = kZeroCode;
  static constexpr bool kMinimum = kZero == 0;
  static constexpr int kCodeBytes = kBits == 8 ? 512 : 256 + 64 * (kBits - 4);
  static constexpr int kScaleBytes = kGroups * (kIsHalf ? 32 : 64);

  template <class L>
  PENSTOCK_LANE void load(const std::uint8_t* from, typename L::Bytes* w) {
    if constexpr (kBits == 8) {
      for (int v = 0; v < 8; ++v) w[v] = L::load_bytes(from + 64 * v);
    } else {
      for (int v = 0; v < 4; ++v) {
        const auto both = L::load_bytes(from + 64 * v);
        w[v] = L::low(both);
        w[v + 4] = L::high(both);
      }
      for (int plane = 0; plane < kBits - 4; ++plane) {
        for (int v = 0; v < 8; ++v) {
          w[v] =
              L::add_bits(w[v], from + 256 + 64 * plane + 8 * v, 16 << plane);
        }
      }
    }
  }
  template <class L>
  PENSTOCK_LANE typename L::F scale(const std::uint8_t* from, int group) {
    if constexpr (kIsHalf) {
      return L::load_half(
          reinterpret_cast<const std::uint16_t*>(from + 32 * group));
    } else {
      return L::load(reinterpret_cast<const float*>(from + 64 * group));
    }
  }
};

/// Layout of unpacked blocks: codes as bytes, scales as floats. A block is
/// unpacked once for many rows.
template <class C>
struct Unpacked : C {
  static constexpr int kCodeBytes = 512;
  static constexpr int kScaleBytes = C::kGroups * 64;

  template <class L>
  PENSTOCK_LANE void load(const std::uint8_t* from, typename L::Bytes* w) {
    for (int v = 0; v < 8; ++v) w[v] = L::load_bytes(from + 64 * v);
  }
  template <class L>
  PENSTOCK_LANE typename L::F scale(const std::uint8_t* from, int group) {
    return L::load(reinterpret_cast<const float*>(from + 64 * group));
  }
};

/// Blocks [first, first + count) of a panel; `stored` is their share of the
/// panel's memory, for Prefetch.
struct Blocks {
  std::int64_t first, count;
  const std::uint8_t *codes, *scales, *minimums;
  const std::uint8_t* stored;
  std::int64_t stored_bytes;
};

template <class C>
PENSTOCK_LANE Blocks blocks_of(const std::uint8_t* panel, std::int64_t all,
                               std::int64_t first, std::int64_t count) {
  const std::uint8_t* scales = panel + all * C::kCodeBytes;
  const std::uint8_t* minimums = scales + all * C::kScaleBytes;
  constexpr int kBytes = C::kCodeBytes + C::kScaleBytes * (C::kMinimum ? 2 : 1);
  return {.first = first,
          .count = count,
          .codes = panel + first * C::kCodeBytes,
          .scales = scales + first * C::kScaleBytes,
          .minimums = minimums + first * C::kScaleBytes,
          .stored = panel + first * kBytes,
          .stored_bytes = count * kBytes};
}

/// Memory for some unpacked blocks of a panel, small enough for
/// the first-level cache.
struct UnpackedBlocks {
  static constexpr std::int64_t kMost = 32;
  alignas(64) std::uint8_t codes[kMost * 512];
  alignas(64) float scales[kMost * 2 * kPanel];
  alignas(64) float minimums[kMost * 2 * kPanel];
};

template <class L, class C>
PENSTOCK_LANE Blocks unpack(const Blocks& from, UnpackedBlocks& to) {
  for (std::int64_t b = 0; b < from.count; ++b) {
    typename L::Bytes vectors[8];
    C::template load<L>(from.codes + b * C::kCodeBytes, vectors);
    for (int v = 0; v < 8; ++v) {
      L::store_bytes(to.codes + 512 * b + 64 * v, vectors[v]);
    }
    for (int g = 0; g < C::kGroups; ++g) {
      const std::int64_t at = (b * C::kGroups + g) * kPanel;
      L::store(to.scales + at,
               C::template scale<L>(from.scales + b * C::kScaleBytes, g));
      if constexpr (C::kMinimum) {
        L::store(to.minimums + at,
                 C::template scale<L>(from.minimums + b * C::kScaleBytes, g));
      }
    }
  }
  return {.first = from.first,
          .count = from.count,
          .codes = to.codes,
          .scales = reinterpret_cast<const std::uint8_t*>(to.scales),
          .minimums = reinterpret_cast<const std::uint8_t*>(to.minimums),
          .stored = from.stored,
          .stored_bytes = from.stored_bytes};
}

/// Start value of a group's sum: removes the zero point that
/// every code includes.
template <class L, class C>
PENSTOCK_LANE typename L::I group_start(const std::int32_t& minus_sum) {
  constexpr int kZero = C::kZero - (C::kBits == 8 ? L::kByteZero : 0);
  if constexpr (kZero == 0) {
    return L::zero();
  } else {
    return L::template times_power<std::countr_zero(unsigned{kZero})>(
        L::set_int(minus_sum));
  }
}

template <class C>
PENSTOCK_LANE const std::int32_t& minus_sum(const Int8Block& x, int group) {
  return C::kGroups == 1 ? x.minus_sum : x.minus_half_sums[group];
}

/// Sum of one block and row: each group's products by its scale, plus the
/// minimums. `second`: of the second group, where there are two.
template <class L, class C>
PENSTOCK_LANE typename L::F scaled_sum(typename L::I first,
                                       typename L::I second,
                                       const std::uint8_t* scales,
                                       const std::uint8_t* minimums,
                                       const Int8Block& x) {
  auto sum = L::mul(L::to_float(first), C::template scale<L>(scales, 0));
  if constexpr (C::kGroups == 2) {
    sum = L::fma(L::to_float(second), C::template scale<L>(scales, 1), sum);
  }
  if constexpr (C::kMinimum) {
#pragma GCC unroll 2
    for (int g = 0; g < C::kGroups; ++g) {
      const auto count = L::set_int(minus_sum<C>(x, g));
      sum = L::fma(L::to_float(count), C::template scale<L>(minimums, g), sum);
    }
  }
  return sum;
}

/// Multiplies one block's codes, in registers, with the same block of kRows
/// rows; sums[r] still lacks the scale of row r.
template <class L, class C, int kRows>
PENSTOCK_LANE void multiply_block(const typename L::Bytes* codes,
                                  const std::uint8_t* scales,
                                  const std::uint8_t* minimums,
                                  const Int8Block* const* rows, std::int64_t b,
                                  typename L::F* sums) {
  constexpr int kGroups = C::kGroups;
  constexpr int kVectors = 8 / kGroups;
  typename L::template Dots<C::kBits> dots[kGroups][kRows];
#pragma GCC unroll 2
  for (int g = 0; g < kGroups; ++g) {
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      dots[g][r].sum = group_start<L, C>(minus_sum<C>(rows[r][b], g));
    }
    // Interleave rows so that each add depends on an add kRows steps earlier.
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      const int at = g * kVectors + v;
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        dots[g][r].add(codes[at], rows[r][b].q + 4 * at, v, kVectors);
      }
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    sums[r] = scaled_sum<L, C>(dots[0][r].sum, dots[kGroups - 1][r].sum, scales,
                               minimums, rows[r][b]);
  }
}

/// Multiplies blocks of one panel with kRows rows, `x_stride` blocks apart;
/// adds to what earlier blocks left in y.
template <class L, class C, int kRows>
PENSTOCK_LANE void coded_tile(const Blocks& w, const Int8Block* x,
                              std::int64_t x_stride, Prefetch ahead, float* y,
                              std::int64_t y_stride) {
  const Int8Block* rows[kRows];
  typename L::F total[kRows];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    rows[r] = x + r * x_stride + w.first;
    total[r] = w.first == 0 ? L::set(0) : L::load(y + r * y_stride);
  }
  for (std::int64_t b = 0; b < w.count; ++b) {
    ahead.next();
    typename L::Bytes codes[8];
    C::template load<L>(w.codes + b * C::kCodeBytes, codes);
    typename L::F sums[kRows];
    multiply_block<L, C, kRows>(codes, w.scales + b * C::kScaleBytes,
                                w.minimums + b * C::kScaleBytes, rows, b, sums);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      total[r] = L::fma(L::set(rows[r][b].scale), sums[r], total[r]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) L::store(y + r * y_stride, total[r]);
}

/// Multiplies all blocks of one panel with two tiles of rows, loading the codes
/// once; the totals are in memory.
template <class L, class C, int kRows>
PENSTOCK_LANE void coded_pair(const Blocks& w, const Int8Block* x,
                              std::int64_t x_stride, Prefetch ahead, float* y,
                              std::int64_t y_stride) {
  alignas(64) float totals[2 * kRows * kPanel];
  for (int r = 0; r < 2 * kRows; ++r) L::store(totals + r * kPanel, L::set(0));
  for (std::int64_t b = 0; b < w.count; ++b) {
    ahead.next();
    typename L::Bytes codes[8];
    C::template load<L>(w.codes + b * C::kCodeBytes, codes);
    for (int first = 0; first < 2 * kRows; first += kRows) {
      const Int8Block* rows[kRows];
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) rows[r] = x + (first + r) * x_stride;
      typename L::F sums[kRows];
      multiply_block<L, C, kRows>(codes, w.scales + b * C::kScaleBytes,
                                  w.minimums + b * C::kScaleBytes, rows, b,
                                  sums);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        float* total = totals + (first + r) * kPanel;
        L::store(total,
                 L::fma(L::set(rows[r][b].scale), sums[r], L::load(total)));
      }
    }
  }
  for (int r = 0; r < 2 * kRows; ++r) {
    L::store(y + r * y_stride, L::load(totals + r * kPanel));
  }
}

/// Multiplies blocks with rows [first, n), tile by tile.
template <class L, class C>
PENSTOCK_LANE void coded_tiles(const Blocks& w, const Int8Block* x,
                               std::int64_t x_stride, std::int64_t first,
                               std::int64_t n, float* y,
                               std::int64_t y_stride) {
  each_tile<L::kTileRows>(first, n, [&]<int kRows>(std::int64_t row) {
    const Prefetch ahead(w.stored, w.stored_bytes, row, kRows, n, w.count);
    coded_tile<L, C, kRows>(w, x + row * x_stride, x_stride, ahead,
                            y + row * y_stride, y_stride);
  });
}

template <class L, class C>
void coded_matmul(const Panels& w, std::int64_t first, std::int64_t last,
                  const Activations& x, std::int64_t n, float* y,
                  std::int64_t y_stride) {
  constexpr int kPair = 2 * L::kTileRows;
  const std::int64_t blocks = w.columns / kBlock;
  for (std::int64_t p = first; p < last; ++p) {
    const std::uint8_t* panel = w.data + p * w.panel_bytes;
    const Blocks all = blocks_of<C>(panel, blocks, 0, blocks);
    float* to = y + p * kPanel;
    if constexpr (C::kBits == 8) {
      coded_tiles<L, C>(all, x.int8, blocks, 0, n, to, y_stride);
      continue;
    }
    if (n < 2 * kPair) {  // few rows: read the codes as stored
      std::int64_t row = 0;
      if (n >= kPair) {
        const Prefetch ahead(all.stored, all.stored_bytes, 0, kPair, n, blocks);
        coded_pair<L, C, L::kTileRows>(all, x.int8, blocks, ahead, to,
                                       y_stride);
        row = kPair;
      }
      coded_tiles<L, C>(all, x.int8, blocks, row, n, to, y_stride);
      continue;
    }
    UnpackedBlocks room;
    for (std::int64_t b = 0; b < blocks; b += UnpackedBlocks::kMost) {
      const std::int64_t left = blocks - b;
      const std::int64_t count =
          left < UnpackedBlocks::kMost ? left : UnpackedBlocks::kMost;
      coded_tiles<L, Unpacked<C>>(
          unpack<L, C>(blocks_of<C>(panel, blocks, b, count), room), x.int8,
          blocks, 0, n, to, y_stride);
    }
  }
}

// NOLINTEND(*-avoid-c-arrays,
// bugprone-implicit-widening-of-multiplication-result)
}  // namespace penstock::kernels::PENSTOCK_LEVEL
