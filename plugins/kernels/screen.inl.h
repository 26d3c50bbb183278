// The approximate scores of the vocabulary head; included by kernels_*.cpp
// only. head.h says what the planes hold.
#pragma once

#include "tiles.inl.h"

namespace penstock::kernels::PENSTOCK_LEVEL {
// Arrays of vector registers, which std::array would lose the attributes of;
// offsets within a block, far below an int's end.
// NOLINTBEGIN(*-avoid-c-arrays,
// bugprone-implicit-widening-of-multiplication-result)

template <class L, int kRows>
PENSTOCK_LANE void screen_tile(const HeadPlanes& planes,
                               const std::uint8_t* panel, const Int8Block* x,
                               float* y, std::int64_t y_stride) {
  using F = typename L::F;
  const std::int64_t blocks = planes.columns / kBlock;
  const std::uint8_t* codes = panel + blocks * 32;
  const Int8Block* rows[kRows];
  F total[kRows];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    rows[r] = x + r * blocks;
    total[r] = L::set(0);
  }
  for (std::int64_t b = 0; b < blocks; ++b) {
    typename L::Bytes vectors[8];
    for (int v = 0; v < 4; ++v, codes += 64) {
      ask_ahead(codes);
      const auto both = L::load_bytes(codes);
      vectors[v] = L::low(both);
      vectors[v + 4] = L::high(both);
    }
    typename L::template Dots<4> dots[kRows];
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) dots[r].sum = L::zero();
#pragma GCC unroll 8
    for (int v = 0; v < 8; ++v) {
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        dots[r].add(vectors[v], rows[r][b].q + 4 * v, v, 8);
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      dots[r].sum = L::join(dots[r].sum, L::set_int(rows[r][b].minus_sum));
    }
    for (int g = 0; g < planes.fine[b]; ++g, codes += 64) {
      ask_ahead(codes);
      const auto both = L::load_bytes(codes);
      const auto near = L::low(both);
      const auto far = L::high(both);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        dots[r].add(near, rows[r][b].q + 8 * g, 0, 2);
        dots[r].add(far, rows[r][b].q + 8 * g + 4, 1, 2);
      }
    }
    const F scale =
        L::load_half(reinterpret_cast<const std::uint16_t*>(panel + 32 * b));
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const F sum = L::mul(L::to_float(dots[r].sum), scale);
      total[r] = L::fma(L::set(rows[r][b].scale), sum, total[r]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) L::store(y + r * y_stride, total[r]);
}

template <class L>
void screen(const HeadPlanes& planes, std::int64_t first, std::int64_t last,
            const Int8Block* x, std::int64_t n, float* y,
            std::int64_t y_stride) {
  const std::int64_t blocks = planes.columns / kBlock;
  for (std::int64_t p = first; p < last; ++p) {
    const std::uint8_t* panel = planes.data + p * planes.panel_bytes;
    each_tile<L::kTileRows>(0, n, [&]<int kRows>(std::int64_t row) {
      screen_tile<L, kRows>(planes, panel, x + row * blocks,
                            y + row * y_stride + p * kPanel, y_stride);
    });
  }
}

template <class L>
std::int64_t find_at_least(const float* values, float floor, std::int64_t begin,
                           std::int64_t end) {
  const auto least = L::set(floor);
  std::int64_t i = begin;
  for (; i + 16 <= end; i += 16) {
    const unsigned found = L::at_least(L::load(values + i), least);
    if (found != 0) return i + __builtin_ctz(found);
  }
  while (i < end && !(values[i] >= floor)) ++i;
  return i;
}

template <class L>
std::int64_t find_reaching(const float* values, const float* const* bounds,
                           const float* factors, float floor,
                           std::int64_t begin, std::int64_t end) {
  const auto least = L::set(floor);
  std::int64_t i = begin;
  for (; i + 16 <= end; i += 16) {
    auto most = L::load(values + i);
    for (int part = 0; part < 3; ++part) {
      most = L::fma(L::load(bounds[part] + i), L::set(factors[part]), most);
    }
    const unsigned found = L::at_least(most, least);
    if (found != 0) return i + __builtin_ctz(found);
  }
  for (; i < end; ++i) {
    const float most = values[i] + bounds[0][i] * factors[0] +
                       bounds[1][i] * factors[1] + bounds[2][i] * factors[2];
    if (most >= floor) return i;
  }
  return end;
}

// NOLINTEND(*-avoid-c-arrays,
// bugprone-implicit-widening-of-multiplication-result)
}  // namespace penstock::kernels::PENSTOCK_LEVEL
