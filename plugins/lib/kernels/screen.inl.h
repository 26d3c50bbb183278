// Approximate scores of the vocabulary head; included by kernels_*.cpp only.
#pragma once

#include <algorithm>

#include "lib/kernels/tiles.inl.h"

namespace penstock::kernels::PENSTOCK_LEVEL {
// Arrays of vector registers, which std::array would lose the attributes of;
// offsets within a block, far below an int's end.
// NOLINTBEGIN(*-avoid-c-arrays,
// bugprone-implicit-widening-of-multiplication-result)

template <class L>
void round_to(const float* x, std::int64_t n, float step, float least,
              float most, std::int8_t* q, float* left, float* held) {
  // A step near 0 gives code 0: its inverse would be infinite.
  const auto inverse = L::set(step > 0x1p-120F ? 1 / step : 0);
  auto missing = L::set(0);
  auto present = L::set(0);
  for (std::int64_t i = 0; i < n; i += 16) {
    const auto from = L::load(x + i);
    const auto code = L::max(
        L::min(L::round(L::mul(from, inverse)), L::set(most)), L::set(least));
    L::store_int8(q + i, code);
    const auto number = L::mul(code, L::set(step));
    const auto error = L::sub(from, number);
    missing = L::fma(error, error, missing);
    present = L::fma(number, number, present);
  }
  constexpr float kRoom = 1.001F;  // sums of floats are a little off
  *left = kRoom * __builtin_sqrtf(L::sum(missing));
  *held = kRoom * __builtin_sqrtf(L::sum(present));
}

/// Pointers into kRows hidden states: `q` to the segment that is next.
template <int kRows>
struct ScreenRows {
  const std::int8_t* q[kRows];
  const float* scales[kRows];
  const std::int32_t* minus_sums[kRows];

  [[gnu::always_inline]] ScreenRows(const ScreenActivations& x,
                                    std::int64_t row, std::int64_t columns,
                                    std::int64_t segments) {
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      q[r] = x.q + (row + r) * columns;
      scales[r] = x.scales + (row + r) * segments;
      minus_sums[r] = x.minus_sums + (row + r) * segments;
    }
  }
};

/// Loads the codes of 32 columns as bytes; returns where the next ones begin.
template <class L, bool kIsFine>
PENSTOCK_LANE const std::uint8_t* load_codes(const std::uint8_t* codes,
                                             typename L::Bytes* vectors) {
  if constexpr (kIsFine) {
    for (int v = 0; v < 8; ++v, codes += 64) {
      vectors[v] = L::load_bytes(codes);
    }
  } else {
    for (int v = 0; v < 4; ++v, codes += 64) {
      const auto both = L::load_bytes(codes);
      vectors[v] = L::low(both);
      vectors[v + 4] = L::high(both);
    }
  }
  return codes;
}

/// Adds the products of one segment to the totals of kRows rows.
template <class L, bool kIsFine, int kRows>
PENSTOCK_LANE void add_segment(const std::uint8_t* codes, std::int64_t columns,
                               const ScreenRows<kRows>& x, std::int64_t segment,
                               Prefetch& ahead, typename L::F* totals) {
  constexpr int kBits = kIsFine ? 8 : 4;
  constexpr int kZero = kIsFine ? 128 - L::kByteZero : 8;
  typename L::template Dots<kBits> dots[kRows];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    dots[r].sum = L::set_int(x.minus_sums[r][segment] * kZero);
  }
  for (std::int64_t at = 0; at < columns; at += kBlock) {
    ahead.next();
    typename L::Bytes vectors[8];
    codes = load_codes<L, kIsFine>(codes, vectors);
#pragma GCC unroll 8
    for (int v = 0; v < 8; ++v) {
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        dots[r].add(vectors[v], x.q[r] + at + 4 * v, v, 8);
      }
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    totals[r] = L::fma(L::set(x.scales[r][segment]), L::to_float(dots[r].sum),
                       totals[r]);
  }
}

template <class L, int kRows>
PENSTOCK_LANE void screen_tile(const ScreenPanels& planes,
                               const std::uint8_t* panel,
                               const ScreenActivations& x, std::int64_t row,
                               Prefetch ahead, float* y,
                               std::int64_t y_stride) {
  const std::int64_t segments = planes.segments();
  ScreenRows<kRows> rows(x, row, planes.columns, segments);
  typename L::F totals[kRows];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) totals[r] = L::set(0);
  const auto* row_scales = reinterpret_cast<const float*>(panel);
  const std::uint8_t* codes = panel + kPanel * sizeof(float);
  std::int64_t at = 0;
  for (std::int64_t segment = 0; segment < segments; ++segment) {
    const bool is_fine = at < planes.fine;
    const std::int64_t columns =
        is_fine ? ScreenPanels::kFineSegment
                : std::min(ScreenPanels::kCoarseSegment, planes.columns - at);
    if (is_fine) {
      add_segment<L, true, kRows>(codes, columns, rows, segment, ahead, totals);
    } else {
      add_segment<L, false, kRows>(codes, columns, rows, segment, ahead,
                                   totals);
    }
    codes += columns * (is_fine ? kPanel : kPanel / 2);
    at += columns;
    for (int r = 0; r < kRows; ++r) rows.q[r] += columns;
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    L::store(y + r * y_stride, L::fma(totals[r], L::load(row_scales),
                                      L::set(x.constants[row + r])));
  }
}

template <class L>
void screen(const ScreenPanels& planes, std::int64_t first, std::int64_t last,
            const ScreenActivations& x, std::int64_t n, float* y,
            std::int64_t y_stride) {
  const std::int64_t blocks = planes.columns / kBlock;
  for (std::int64_t p = first; p < last; ++p) {
    const std::uint8_t* panel = planes.data + p * planes.panel_bytes;
    each_tile<L::kTileRows>(0, n, [&]<int kRows>(std::int64_t row) {
      screen_tile<L, kRows>(
          planes, panel, x, row,
          Prefetch(panel, planes.panel_bytes, row, kRows, n, blocks),
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
std::int64_t find_reaching(const float* values,
                           const std::uint16_t* const* bounds,
                           const float* factors, float floor,
                           std::int64_t begin, std::int64_t end) {
  const auto least = L::set(floor);
  std::int64_t i = begin;
  for (; i + 16 <= end; i += 16) {
    auto most = L::load(values + i);
    for (int part = 0; part < Kernels::kBounds; ++part) {
      most =
          L::fma(L::load_bf16(bounds[part] + i), L::set(factors[part]), most);
    }
    const unsigned found = L::at_least(most, least);
    if (found != 0) return i + __builtin_ctz(found);
  }
  for (; i < end; ++i) {
    float most = values[i];
    for (int part = 0; part < Kernels::kBounds; ++part) {
      most += bf16_to_float(bounds[part][i]) * factors[part];
    }
    if (most >= floor) return i;
  }
  return end;
}

// NOLINTEND(*-avoid-c-arrays,
// bugprone-implicit-widening-of-multiplication-result)
}  // namespace penstock::kernels::PENSTOCK_LEVEL
