// Matrix products over panels; included by kernels_*.cpp only.
#pragma once

#include <bit>
#include <type_traits>

#include "kernels.h"
#include "level.h"

namespace penstock::kernels::PENSTOCK_LEVEL {
// Arrays of vector registers, which std::array would lose the attributes of;
// offsets within a block, far below an int's end.
// NOLINTBEGIN(*-avoid-c-arrays,
// bugprone-implicit-widening-of-multiplication-result)

/// Asks for memory that will be read in some microseconds, into the second
/// cache: the first has too few requests in flight for the memory's bandwidth.
PENSTOCK_LANE void ask_ahead(const void* at) {
  constexpr std::int64_t kAhead = 32768;
  __builtin_prefetch(static_cast<const std::uint8_t*>(at) + kAhead, 0, 2);
}

/// Keeps the compiler from holding sums across: it would spill what is hot.
PENSTOCK_LANE void settle_memory() { asm volatile("" ::: "memory"); }

/// How codes of one kind lie in a panel: for each block of 32 columns eight
/// vectors of 4 codes a lane, as nibbles (v and v + 4 in one byte) and planes
/// of further bits, or as bytes; then all scales, then all minimums. kZero is
/// the code of number 0, of a power of two, or 0 where there are minimums.
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
    for (int i = 0; i < kCodeBytes; i += 64) ask_ahead(from + i);
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

/// The same codes as bytes and the same scales as floats: unpacked once for
/// many rows.
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

/// Blocks [first, first + count) of a panel, which has `all`.
struct Blocks {
  std::int64_t first, count;
  const std::uint8_t *codes, *scales, *minimums;
};

template <class C>
PENSTOCK_LANE Blocks blocks_of(const std::uint8_t* panel, std::int64_t all,
                               std::int64_t first, std::int64_t count) {
  const std::uint8_t* scales = panel + all * C::kCodeBytes;
  const std::uint8_t* minimums = scales + all * C::kScaleBytes;
  return {.first = first,
          .count = count,
          .codes = panel + first * C::kCodeBytes,
          .scales = scales + first * C::kScaleBytes,
          .minimums = minimums + first * C::kScaleBytes};
}

/// Room for some blocks of a panel, small enough for the first cache.
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
          .minimums = reinterpret_cast<const std::uint8_t*>(to.minimums)};
}

/// What a group's sum begins with: its codes count kZero too much.
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

/// Blocks of one panel by kRows rows of bytes, `x_stride` blocks apart; y holds
/// what the blocks before them gave.
template <class L, class C, int kRows>
PENSTOCK_LANE void coded_tile(const Blocks& w, const Int8Block* x,
                              std::int64_t x_stride, float* y,
                              std::int64_t y_stride) {
  using F = typename L::F;
  constexpr int kGroups = C::kGroups;
  constexpr int kVectors = 8 / kGroups;
  const Int8Block* rows[kRows];
  F total[kRows];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    rows[r] = x + r * x_stride + w.first;
    total[r] = w.first == 0 ? L::set(0) : L::load(y + r * y_stride);
  }
  for (std::int64_t b = 0; b < w.count; ++b) {
    typename L::Bytes vectors[8];
    C::template load<L>(w.codes + b * C::kCodeBytes, vectors);
    typename L::template Dots<C::kBits> dots[kGroups][kRows];
#pragma GCC unroll 2
    for (int g = 0; g < kGroups; ++g) {
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        dots[g][r].sum = group_start<L, C>(minus_sum<C>(rows[r][b], g));
      }
      // Row by row within a vector: a sum is waited for by its next one alone.
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) {
        const int at = g * kVectors + v;
#pragma GCC unroll 8
        for (int r = 0; r < kRows; ++r) {
          dots[g][r].add(vectors[at], rows[r][b].q + 4 * at, v, kVectors);
        }
      }
    }
    const std::uint8_t* scales = w.scales + b * C::kScaleBytes;
    const std::uint8_t* minimums = w.minimums + b * C::kScaleBytes;
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      F sum =
          L::mul(L::to_float(dots[0][r].sum), C::template scale<L>(scales, 0));
      if constexpr (kGroups == 2) {
        sum = L::fma(L::to_float(dots[1][r].sum),
                     C::template scale<L>(scales, 1), sum);
      }
      if constexpr (C::kMinimum) {
#pragma GCC unroll 2
        for (int g = 0; g < kGroups; ++g) {
          const auto count = L::set_int(minus_sum<C>(rows[r][b], g));
          sum = L::fma(L::to_float(count), C::template scale<L>(minimums, g),
                       sum);
        }
      }
      total[r] = L::fma(L::set(rows[r][b].scale), sum, total[r]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) L::store(y + r * y_stride, total[r]);
}

/// A row's sums; several hide the latency where there are registers for them.
template <class L, int kRows>
struct Sums {
  static constexpr int kSums = L::kFloatSums;
  typename L::F of[kSums][kRows];

  Sums() {
#pragma GCC unroll 2
    for (int i = 0; i < kSums; ++i) {
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) of[i][r] = L::set(0);
    }
  }
  void store(float* y, std::int64_t y_stride) const {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      auto sum = of[0][r];
      if constexpr (kSums == 2) sum = L::add(sum, of[1][r]);
      L::store(y + r * y_stride, sum);
    }
  }
};

/// Pairs of bfloat16 by pairs of bfloat16.
template <class L, int kRows>
PENSTOCK_LANE void bf16_tile(const Panels& w, const std::uint8_t* panel,
                             const std::uint16_t* x, float* y,
                             std::int64_t y_stride) {
  Sums<L, kRows> sums;
  const auto* at = reinterpret_cast<const std::uint16_t*>(panel);
  for (std::int64_t k = 0; k < w.columns; k += 4, at += 64) {
    ask_ahead(at);
    ask_ahead(at + 32);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      auto& first = sums.of[0][r];
      auto& second = sums.of[L::kFloatSums - 1][r];
      first = L::dot2(first, at, x + r * w.columns + k);
      second = L::dot2(second, at + 32, x + r * w.columns + k + 2);
    }
  }
  sums.store(y, y_stride);
}

/// bfloat16 or floats by floats.
template <class L, bool kIsBf16, int kRows>
PENSTOCK_LANE void float_tile(const Panels& w, const std::uint8_t* panel,
                              const float* x, float* y, std::int64_t y_stride) {
  Sums<L, kRows> sums;
  const float* rows[kRows];
  for (int r = 0; r < kRows; ++r) rows[r] = x + r * w.columns;
  const auto add = [&]<int kColumn>(std::int64_t k, typename L::F words)
      __attribute__((always_inline)) {
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      auto& sum = sums.of[kColumn % L::kFloatSums][r];
      sum = L::fma(words, L::set(rows[r][k + kColumn]), sum);
    }
    settle_memory();
  };
  for (std::int64_t k = 0; k < w.columns; k += 2) {
    if constexpr (kIsBf16) {
      const auto* at = reinterpret_cast<const std::uint16_t*>(panel) + k * 16;
      ask_ahead(at);
      add.template operator()<0>(k, L::even(at));
      add.template operator()<1>(k, L::odd(at));
    } else {
      const auto* at = reinterpret_cast<const float*>(panel) + k * 16;
      ask_ahead(at);
      ask_ahead(at + 16);
      add.template operator()<0>(k, L::load(at));
      add.template operator()<1>(k, L::load(at + 16));
    }
  }
  sums.store(y, y_stride);
}

/// Two 16-bit numbers a lane, or four of 8 bits, by the row's at x.
template <class L>
PENSTOCK_LANE void add_products(typename L::I& sum, const std::int16_t* codes,
                                const std::int16_t* x) {
  sum = L::dot2(sum, L::load_words(codes), x);
}
template <class L>
PENSTOCK_LANE void add_products(typename L::I& sum, const std::uint8_t* codes,
                                const std::int8_t* x) {
  sum = L::template dot4<8>(sum, L::load_bytes(codes), x);
}

/// Rounded numbers by their like; the sums grow in memory.
template <class L, class T, int kRows>
PENSTOCK_LANE void wide_tile(const Panels& w, const std::uint8_t* panel,
                             const WideRows<T>& x, std::int64_t row, float* y,
                             std::int64_t y_stride) {
  using Code = std::conditional_t<sizeof(T) == 1, std::uint8_t, T>;
  constexpr int kStep = 4 / sizeof(T);  // numbers a lane
  const std::int64_t blocks = w.columns / kWide;
  const auto* codes = reinterpret_cast<const Code*>(panel);
  const auto* scales =
      reinterpret_cast<const float*>(codes + w.columns * kPanel);
  const T* q = x.q + row * w.columns;
  // Not in y, whose rows may fall on the same lines of the cache.
  alignas(64) float sums[kRows * kPanel];
  for (int r = 0; r < kRows; ++r) L::store(sums + r * kPanel, L::set(0));
  for (std::int64_t b = 0; b < blocks; ++b, q += kWide, scales += kPanel) {
    const std::int64_t block = row * blocks + b;
    typename L::I acc[kRows];
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      if constexpr (sizeof(T) == 1) {
        acc[r] = L::set_int(x.starts[block + r * blocks]);
      } else {
        acc[r] = L::zero();
      }
    }
    for (int k = 0; k < kWide; k += kStep, codes += kStep * kPanel) {
      ask_ahead(codes);
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        add_products<L>(acc[r], codes, q + r * w.columns + k);
        L::keep(acc[r]);
      }
    }
    const auto scale = L::load(scales);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      float* sum = sums + r * kPanel;
      const auto part =
          L::mul(L::to_float(acc[r]), L::set(x.scales[block + r * blocks]));
      L::store(sum, L::fma(part, scale, L::load(sum)));
    }
    settle_memory();
  }
  for (int r = 0; r < kRows; ++r) {
    L::store(y + r * y_stride, L::load(sums + r * kPanel));
  }
}

/// Bytes by 16-bit numbers.
template <class L, int kRows>
PENSTOCK_LANE void byte_tile(const Panels& w, const std::uint8_t* panel,
                             const ShortRows& x, std::int64_t row, float* y,
                             std::int64_t y_stride) {
  constexpr int kSums = kRows <= 4 ? 2 : 1;  // to hide the latency
  typename L::I acc[kSums][kRows];
#pragma GCC unroll 2
  for (int i = 0; i < kSums; ++i) {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) acc[i][r] = L::zero();
  }
  const auto* codes = reinterpret_cast<const std::int8_t*>(panel);
  const std::int16_t* q = x.q + row * w.columns;
  for (std::int64_t k = 0; k < w.columns; k += 4, codes += 64) {
    ask_ahead(codes);
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      const auto words = L::widen(codes + 32 * i);
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        auto& sum = acc[i % kSums][r];
        sum = L::dot2(sum, words, q + r * w.columns + k + 2 * i);
        L::keep(sum);
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    auto sum = acc[0][r];
    if constexpr (kSums == 2) sum = L::add_int(sum, acc[1][r]);
    L::store(y + r * y_stride,
             L::mul(L::to_float(sum), L::set(x.scales[row + r])));
  }
}

/// Calls tile<kRows>(row) for tiles of kRows rows, and half as many each time
/// for those that are left.
template <int kRows, class Tile>
PENSTOCK_LANE void each_tile(std::int64_t row, std::int64_t n,
                             const Tile& tile) {
  for (; row + kRows <= n; row += kRows) tile.template operator()<kRows>(row);
  if constexpr (kRows > 1) each_tile<kRows / 2>(row, n, tile);
}

/// As each_tile, with one tile for all that are left.
template <int kRows, class Tile>
PENSTOCK_LANE void last_tile(std::int64_t row, std::int64_t n,
                             const Tile& tile) {
  if (n - row == kRows) {
    tile.template operator()<kRows>(row);
  } else if constexpr (kRows > 1) {
    last_tile<kRows - 1>(row, n, tile);
  }
}
template <int kRows, class Tile>
PENSTOCK_LANE void each_whole_tile(std::int64_t n, const Tile& tile) {
  std::int64_t row = 0;
  for (; row + kRows <= n; row += kRows) tile.template operator()<kRows>(row);
  last_tile<kRows - 1>(row, n, tile);
}

template <class L, class C>
PENSTOCK_LANE void coded_tiles(const Blocks& w, const Int8Block* x,
                               std::int64_t x_stride, std::int64_t n, float* y,
                               std::int64_t y_stride) {
  each_tile<L::kTileRows>(0, n, [&]<int kRows>(std::int64_t row) {
    coded_tile<L, C, kRows>(w, x + row * x_stride, x_stride, y + row * y_stride,
                            y_stride);
  });
}

template <class L, class C>
void coded_matmul(const Panels& w, std::int64_t first, std::int64_t last,
                  const Activations& x, std::int64_t n, float* y,
                  std::int64_t y_stride) {
  const std::int64_t blocks = w.columns / kBlock;
  const bool is_direct = C::kBits == 8 || n <= L::kTileRows;
  for (std::int64_t p = first; p < last; ++p) {
    const std::uint8_t* panel = w.data + p * w.panel_bytes;
    float* to = y + p * kPanel;
    if (is_direct) {
      coded_tiles<L, C>(blocks_of<C>(panel, blocks, 0, blocks), x.int8, blocks,
                        n, to, y_stride);
      continue;
    }
    UnpackedBlocks room;
    for (std::int64_t b = 0; b < blocks; b += UnpackedBlocks::kMost) {
      const std::int64_t left = blocks - b;
      const std::int64_t count =
          left < UnpackedBlocks::kMost ? left : UnpackedBlocks::kMost;
      coded_tiles<L, Unpacked<C>>(
          unpack<L, C>(blocks_of<C>(panel, blocks, b, count), room), x.int8,
          blocks, n, to, y_stride);
    }
  }
}

/// Calls tile<kRows>(panel, row, y of both) for all of panels [first, last).
template <int kMost, class Tile>
PENSTOCK_LANE void each_panel(const Panels& w, std::int64_t first,
                              std::int64_t last, std::int64_t n, float* y,
                              std::int64_t y_stride, const Tile& tile) {
  for (std::int64_t p = first; p < last; ++p) {
    const std::uint8_t* panel = w.data + p * w.panel_bytes;
    each_whole_tile<kMost>(n, [&]<int kRows>(std::int64_t row) {
      tile.template operator()<kRows>(panel, row,
                                      y + row * y_stride + p * kPanel);
    });
  }
}

template <class L>
void bf16_matmul(const Panels& w, std::int64_t first, std::int64_t last,
                 const Activations& x, std::int64_t n, float* y,
                 std::int64_t y_stride) {
  each_panel<L::kFloatRows>(
      w, first, last, n, y, y_stride,
      [&]<int kRows>(const std::uint8_t* panel, std::int64_t row, float* out) {
        bf16_tile<L, kRows>(w, panel, x.bf16 + row * w.columns, out, y_stride);
      });
}

template <class L, bool kIsBf16>
void float_matmul(const Panels& w, std::int64_t first, std::int64_t last,
                  const Activations& x, std::int64_t n, float* y,
                  std::int64_t y_stride) {
  each_panel<L::kFloatRows>(
      w, first, last, n, y, y_stride,
      [&]<int kRows>(const std::uint8_t* panel, std::int64_t row, float* out) {
        float_tile<L, kIsBf16, kRows>(w, panel, x.f32 + row * w.columns, out,
                                      y_stride);
      });
}

template <class L>
void byte_matmul(const Panels& w, std::int64_t first, std::int64_t last,
                 const Activations& x, std::int64_t n, float* y,
                 std::int64_t y_stride) {
  each_panel<L::kWideRows>(
      w, first, last, n, y, y_stride,
      [&]<int kRows>(const std::uint8_t* panel, std::int64_t row, float* out) {
        byte_tile<L, kRows>(w, panel, x.shorts, row, out, y_stride);
      });
}

template <class L, class T>
void wide_matmul(const Panels& w, std::int64_t first, std::int64_t last,
                 const Activations& x, std::int64_t n, float* y,
                 std::int64_t y_stride) {
  each_panel<L::kWideRows>(
      w, first, last, n, y, y_stride,
      [&]<int kRows>(const std::uint8_t* panel, std::int64_t row, float* out) {
        if constexpr (sizeof(T) == 1) {
          wide_tile<L, T, kRows>(w, panel, x.wide8, row, out, y_stride);
        } else {
          wide_tile<L, T, kRows>(w, panel, x.wide16, row, out, y_stride);
        }
      });
}

// NOLINTEND(*-avoid-c-arrays,
// bugprone-implicit-widening-of-multiplication-result)
}  // namespace penstock::kernels::PENSTOCK_LEVEL
