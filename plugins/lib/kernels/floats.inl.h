// Products of floats and bfloat16; included by kernels_*.cpp only.
#pragma once

#include "lib/kernels/tiles.inl.h"

namespace penstock::kernels::PENSTOCK_LEVEL {
// Arrays of vector registers, which std::array would lose the attributes of;
// offsets within a block, far below an int's end.
// NOLINTBEGIN(*-avoid-c-arrays,
// bugprone-implicit-widening-of-multiplication-result)

/// Sums of kRows rows; several a row hide the latency where registers allow.
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

/// Multiplies a bfloat16 panel with kRows bfloat16 rows, two columns at a time.
template <class L, int kRows>
PENSTOCK_LANE void bf16_tile(const Panels& w, const std::uint8_t* panel,
                             const std::uint16_t* x, float* y,
                             std::int64_t y_stride) {
  Sums<L, kRows> sums;
  const auto* at = reinterpret_cast<const std::uint16_t*>(panel);
  for (std::int64_t k = 0; k < w.columns; k += 4, at += 64) {
    prefetch(at);
    prefetch(at + 32);
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

/// Multiplies a panel of bfloat16 or floats with kRows rows of floats.
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
    compiler_barrier();
  };
  for (std::int64_t k = 0; k < w.columns; k += 2) {
    if constexpr (kIsBf16) {
      const auto* at = reinterpret_cast<const std::uint16_t*>(panel) + k * 16;
      prefetch(at);
      add.template operator()<0>(k, L::even(at));
      add.template operator()<1>(k, L::odd(at));
    } else {
      const auto* at = reinterpret_cast<const float*>(panel) + k * 16;
      prefetch(at);
      prefetch(at + 16);
      add.template operator()<0>(k, L::load(at));
      add.template operator()<1>(k, L::load(at + 16));
    }
  }
  sums.store(y, y_stride);
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

// NOLINTEND(*-avoid-c-arrays,
// bugprone-implicit-widening-of-multiplication-result)
}  // namespace penstock::kernels::PENSTOCK_LEVEL
