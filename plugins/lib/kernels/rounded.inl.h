// Products of rounded numbers (16 or 8 bits, a scale for 64 columns), and of
// bytes with 16-bit rows; included by kernels_*.cpp only.
#pragma once

#include <type_traits>

#include "lib/kernels/tiles.inl.h"

namespace penstock::kernels::PENSTOCK_LEVEL {
// Arrays of vector registers, which std::array would lose the attributes of;
// offsets within a block, far below an int's end.
// NOLINTBEGIN(*-avoid-c-arrays,
// bugprone-implicit-widening-of-multiplication-result)

/// Adds each lane's products, two of 16 bits or four of 8,
/// with the numbers at x.
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

// lint: long, split it spills registers
/// Multiplies a rounded panel with kRows rounded rows; the sums are in memory.
template <class L, class T, int kRows>
PENSTOCK_LANE void wide_tile(const Panels& w, const std::uint8_t* panel,
                             const WideRows<T>& x, std::int64_t row,
                             Prefetch ahead, float* y, std::int64_t y_stride) {
  using Code = std::conditional_t<sizeof(T) == 1, std::uint8_t, T>;
  constexpr int kStep = 4 / sizeof(T);  // numbers a lane
  const std::int64_t blocks = w.columns / kWide;
  const auto* codes = reinterpret_cast<const Code*>(panel);
  const auto* scales =
      reinterpret_cast<const float*>(codes + w.columns * kPanel);
  const T* q = x.q + row * w.columns;
  // Not in y: its rows may map to the same cache lines.
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
      if (k % kBlock == 0) ahead.next();
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
    compiler_barrier();
  }
  for (int r = 0; r < kRows; ++r) {
    L::store(y + r * y_stride, L::load(sums + r * kPanel));
  }
}

/// Multiplies a panel of bytes with kRows rows of 16-bit numbers.
template <class L, int kRows>
PENSTOCK_LANE void byte_tile(const Panels& w, const std::uint8_t* panel,
                             const ShortRows& x, std::int64_t row,
                             Prefetch ahead, float* y, std::int64_t y_stride) {
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
    if (k % kBlock == 0) ahead.next();
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

template <class L>
void byte_matmul(const Panels& w, std::int64_t first, std::int64_t last,
                 const Activations& x, std::int64_t n, float* y,
                 std::int64_t y_stride) {
  each_panel<L::kWideRows>(
      w, first, last, n, y, y_stride,
      [&]<int kRows>(const std::uint8_t* panel, std::int64_t row, float* out) {
        const Prefetch ahead(panel, w.panel_bytes, row, kRows, n,
                             (w.columns + kBlock - 1) / kBlock);
        byte_tile<L, kRows>(w, panel, x.shorts, row, ahead, out, y_stride);
      });
}

template <class L, class T>
void wide_matmul(const Panels& w, std::int64_t first, std::int64_t last,
                 const Activations& x, std::int64_t n, float* y,
                 std::int64_t y_stride) {
  each_panel<L::kWideRows>(
      w, first, last, n, y, y_stride,
      [&]<int kRows>(const std::uint8_t* panel, std::int64_t row, float* out) {
        const Prefetch ahead(panel, w.panel_bytes, row, kRows, n,
                             (w.columns + kBlock - 1) / kBlock);
        if constexpr (sizeof(T) == 1) {
          wide_tile<L, T, kRows>(w, panel, x.wide8, row, ahead, out, y_stride);
        } else {
          wide_tile<L, T, kRows>(w, panel, x.wide16, row, ahead, out, y_stride);
        }
      });
}

// NOLINTEND(*-avoid-c-arrays,
// bugprone-implicit-widening-of-multiplication-result)
}  // namespace penstock::kernels::PENSTOCK_LEVEL
