// The kernels for vectors of kLanes floats: included once by each level, which
// says how wide they are and how many pixels fit its registers.
#include <cstring>

#include "efficientnet/native/kernels.h"

namespace penstock::efficientnet::native {
namespace {
// Arrays of vector registers, which std::array would lose the attributes of;
// offsets within a block, far below an int's end.
// NOLINTBEGIN(*-avoid-c-arrays,
// bugprone-implicit-widening-of-multiplication-result)

constexpr std::int64_t kVectors = kPanel / kLanes;
using Vector [[gnu::vector_size(kLanes * sizeof(float))]] = float;

Vector load(const float* from) {
  Vector out;
  std::memcpy(&out, from, sizeof(out));
  return out;
}
void store(float* to, Vector value) { std::memcpy(to, &value, sizeof(value)); }
Vector clamped(Vector value) {
  const Vector zero{};
  const Vector six = zero + 6.0F;
  value = value < zero ? zero : value;
  return value > six ? six : value;
}

/// Multiplies kRows pixels with one panel: all sums stay in registers.
template <int kRows>
[[gnu::always_inline]] inline void panel(const Pointwise& op,
                                         const float* const* in,
                                         float* const* out,
                                         const float* const* add,
                                         std::int64_t channel) {
  Vector sums[kRows][kVectors];
  for (int v = 0; v < kVectors; ++v) {
    const Vector bias = load(op.bias + channel + v * kLanes);
    for (int r = 0; r < kRows; ++r) sums[r][v] = bias;
  }
  const float* weight = op.weight + channel * op.in;
  for (std::int64_t k = 0; k < op.in; ++k, weight += kPanel) {
    Vector w[kVectors];
    for (int v = 0; v < kVectors; ++v) w[v] = load(weight + v * kLanes);
#pragma GCC unroll 32
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < kVectors; ++v) sums[r][v] += w[v] * in[r][k];
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) {
      Vector sum = sums[r][v];
      if (op.is_clamped) sum = clamped(sum);
      if (add != nullptr) sum += load(add[r] + channel + v * kLanes);
      store(out[r] + channel + v * kLanes, sum);
    }
  }
}

template <int kRows>
void block(const Pointwise& op, const float* in, std::int64_t in_pixel,
           std::int64_t first, const Place& to, const float* add) {
  const float* from[kRows];
  float* out[kRows];
  const float* plus[kRows];
  for (int r = 0; r < kRows; ++r) {
    from[r] = in + (first + r) * in_pixel;
    out[r] = to.at(first + r);
    plus[r] = add == nullptr ? nullptr : add + (first + r) * to.pixel;
  }
  for (std::int64_t c = 0; c < op.out; c += kPanel) {
    panel<kRows>(op, from, out, add == nullptr ? nullptr : plus, c);
  }
}

void pointwise(const Pointwise& op, const float* in, std::int64_t in_pixel,
               std::int64_t pixels, const Place& out, const float* add) {
  std::int64_t p = 0;
  for (; p + kMostPixels <= pixels; p += kMostPixels) {
    block<kMostPixels>(op, in, in_pixel, p, out, add);
  }
  // One block of half the size for the pixels that remain, where they fill it.
  for (; p + kMostPixels / 2 <= pixels; p += kMostPixels / 2) {
    block<kMostPixels / 2>(op, in, in_pixel, p, out, add);
  }
  for (; p < pixels; ++p) block<1>(op, in, in_pixel, p, out, add);
}

/// Filters kPixels neighbouring outputs of kLanes channels.
template <int kSize, int kPixels>
[[gnu::always_inline]] inline void filter(const Depthwise& op,
                                          const float* const* rows,
                                          const Vector* weight, float* out,
                                          std::int64_t x, std::int64_t c) {
  Vector sums[kPixels];
  const Vector bias = load(op.bias + c);
  for (int i = 0; i < kPixels; ++i) sums[i] = bias;
#pragma GCC unroll 8
  for (int ky = 0; ky < kSize; ++ky) {
    const float* row = rows[ky] + x * op.stride * op.channels + c;
#pragma GCC unroll 8
    for (int kx = 0; kx < kSize; ++kx) {
      const float* at = row + kx * op.channels;
#pragma GCC unroll 8
      for (int i = 0; i < kPixels; ++i) {
        sums[i] +=
            load(at + i * op.stride * op.channels) * weight[ky * kSize + kx];
      }
    }
  }
  for (int i = 0; i < kPixels; ++i) {
    store(out + (x + i) * op.channels + c, clamped(sums[i]));
  }
}

template <int kSize>
void filter_row(const Depthwise& op, const float* const* rows, float* out,
                std::int64_t width) {
  constexpr int kPixels = 4;
  for (std::int64_t c = 0; c < op.channels; c += kLanes) {
    Vector weight[kSize * kSize];
    for (int i = 0; i < kSize * kSize; ++i) {
      weight[i] = load(op.weight + i * op.channels + c);
    }
    std::int64_t x = 0;
    for (; x + kPixels <= width; x += kPixels) {
      filter<kSize, kPixels>(op, rows, weight, out, x, c);
    }
    for (; x < width; ++x) filter<kSize, 1>(op, rows, weight, out, x, c);
  }
}

void depthwise(const Depthwise& op, const float* const* rows, float* out,
               std::int64_t width) {
  switch (op.kernel) {
    case 1:
      return filter_row<1>(op, rows, out, width);
    case 3:
      return filter_row<3>(op, rows, out, width);
    case 5:
      return filter_row<5>(op, rows, out, width);
    default:
      return filter_row<7>(op, rows, out, width);
  }
}

// NOLINTEND(*-avoid-c-arrays,
// bugprone-implicit-widening-of-multiplication-result)
}  // namespace
}  // namespace penstock::efficientnet::native
