// Operations on one row of activations between two matrix products; included by
// kernels_*.cpp only. Lengths are multiples of 16; of 32 for quantise(), of 2
// for rope().
#pragma once

#include "lib/kernels/kernels.h"
#include "lib/kernels/level.h"

namespace penstock::kernels::PENSTOCK_LEVEL {

/// exp(x) for x in [-87, 87], to 2 units in the last place: 2^n e^r with
/// |r| <= ln(2) / 2, Cephes' polynomial (Moshier, 1992).
template <class L>
PENSTOCK_LANE typename L::F exp(typename L::F x) {
  x = L::min(L::max(x, L::set(-87)), L::set(87));
  const auto n = L::round(L::mul(x, L::set(1.44269504F)));
  auto r = L::fma(n, L::set(-0.693359375F), x);
  r = L::fma(n, L::set(2.12194440e-4F), r);
  auto p = L::set(1.9875691500e-4F);
  p = L::fma(p, r, L::set(1.3981999507e-3F));
  p = L::fma(p, r, L::set(8.3334519073e-3F));
  p = L::fma(p, r, L::set(4.1665795894e-2F));
  p = L::fma(p, r, L::set(1.6666665459e-1F));
  p = L::fma(p, r, L::set(5.0000001201e-1F));
  p = L::fma(L::mul(p, r), r, L::add(r, L::set(1)));
  return L::scale(p, n);
}

template <class L>
PENSTOCK_LANE float mean_square_root(const float* x, std::int64_t n,
                                     float epsilon) {
  auto sum = L::set(0);
  for (std::int64_t i = 0; i < n; i += 16) {
    const auto v = L::load(x + i);
    sum = L::fma(v, v, sum);
  }
  return 1 / __builtin_sqrtf(L::sum(sum) / static_cast<float>(n) + epsilon);
}

template <class L>
void norm(const float* x, const float* weight, std::int64_t n, float epsilon,
          float* out) {
  const auto factor = L::set(mean_square_root<L>(x, n, epsilon));
  for (std::int64_t i = 0; i < n; i += 16) {
    const auto scaled = L::mul(L::load(x + i), factor);
    L::store(out + i, L::mul(scaled, L::load(weight + i)));
  }
}

template <class L>
void layer_norm(const float* x, const float* weight, const float* bias,
                std::int64_t n, float epsilon, float* out) {
  auto sum = L::set(0);
  for (std::int64_t i = 0; i < n; i += 16) sum = L::add(sum, L::load(x + i));
  const auto mean = L::set(L::sum(sum) / static_cast<float>(n));
  auto squares = L::set(0);
  for (std::int64_t i = 0; i < n; i += 16) {
    const auto off = L::sub(L::load(x + i), mean);
    squares = L::fma(off, off, squares);
  }
  const float variance = L::sum(squares) / static_cast<float>(n);
  const auto factor = L::set(1 / __builtin_sqrtf(variance + epsilon));
  for (std::int64_t i = 0; i < n; i += 16) {
    const auto scaled = L::mul(L::sub(L::load(x + i), mean), factor);
    L::store(out + i, L::fma(scaled, L::load(weight + i), L::load(bias + i)));
  }
}

template <class L>
void add_norm(const float* y, const float* weight, std::int64_t n,
              float epsilon, float* x) {
  const auto factor = L::set(mean_square_root<L>(y, n, epsilon));
  for (std::int64_t i = 0; i < n; i += 16) {
    const auto scaled = L::mul(L::load(y + i), factor);
    L::store(x + i, L::fma(scaled, L::load(weight + i), L::load(x + i)));
  }
}

template <class L>
void quantise(const float* x, std::int64_t n, Int8Block* to) {
  for (const float* end = x + n; x < end; x += kBlock, ++to) {
    const auto first = L::load(x);
    const auto second = L::load(x + 16);
    const float most = L::max_of(L::max(L::abs(first), L::abs(second)));
    const auto inverse = L::set(most > 0 ? 127 / most : 0);
    const auto q0 = L::round(L::mul(first, inverse));
    const auto q1 = L::round(L::mul(second, inverse));
    // Both sums at once: each is within 2032, whole numbers within 2^24 exact.
    const auto both =
        static_cast<std::int32_t>(L::sum(L::fma(q1, L::set(4096), q0)));
    const std::int32_t sum1 = (both + 2048) >> 12;
    const std::int32_t sum0 = both - sum1 * 4096;
    L::store_int8(to->q, q0);
    L::store_int8(to->q + 16, q1);
    to->scale = most / 127;
    to->minus_sum = -sum0 - sum1;
    to->minus_half_sums[0] = -sum0;
    to->minus_half_sums[1] = -sum1;
  }
}

template <class L, class T>
void quantise_wide(const float* x, std::int64_t n, std::int64_t r,
                   const WideRows<T>& to) {
  constexpr int kMost = sizeof(T) == 1 ? 127 : kMost16;
  for (std::int64_t b = 0; b < n / kWide; ++b) {
    const float* from = x + b * kWide;
    auto sizes = L::abs(L::load(from));
    for (std::int64_t i = 16; i < kWide; i += 16) {
      sizes = L::max(sizes, L::abs(L::load(from + i)));
    }
    const float most = L::max_of(sizes);
    const auto inverse = L::set(most > 0 ? kMost / most : 0);
    const std::int64_t block = r * (n / kWide) + b;
    T* q = to.q + r * n + b * kWide;
    auto sum = L::set(0);
    for (std::int64_t i = 0; i < kWide; i += 16) {
      const auto number = L::mul(L::load(from + i), inverse);
      if constexpr (sizeof(T) == 1) {
        const auto whole = L::round(number);
        sum = L::add(sum, whole);
        L::store_int8(q + i, whole);
      } else {
        L::store_int16(q + i, number);
      }
    }
    to.scales[block] = most / kMost;
    if constexpr (sizeof(T) == 1) {
      constexpr int kAdded = 128 - L::kByteZero;
      to.starts[block] = -kAdded * static_cast<std::int32_t>(L::sum(sum));
    }
  }
}

template <class L>
float quantise_row16(const float* x, std::int64_t n, std::int16_t* q) {
  auto sizes = L::set(0);
  for (std::int64_t i = 0; i < n; i += 16) {
    sizes = L::max(sizes, L::abs(L::load(x + i)));
  }
  const float most = L::max_of(sizes);
  const auto inverse = L::set(most > 0 ? kMostShort / most : 0);
  for (std::int64_t i = 0; i < n; i += 16) {
    L::store_int16(q + i, L::mul(L::load(x + i), inverse));
  }
  return most / kMostShort;
}

template <class L>
void to_bf16(const float* x, std::int64_t n, std::uint16_t* to) {
  for (std::int64_t i = 0; i < n; i += 16)
    L::store_bf16(to + i, L::load(x + i));
}

/// gelu(x) = x (1 + erf(x / sqrt(2))) / 2; erf by 7.1.26 of Abramowitz and
/// Stegun (1964), within 1.5e-7.
template <class L>
void gelu(float* x, std::int64_t n) {
  for (std::int64_t i = 0; i < n; i += 16) {
    const auto v = L::load(x + i);
    const auto z = L::mul(L::abs(v), L::set(0.70710678F));
    const auto t = L::div(L::set(1), L::fma(z, L::set(0.3275911F), L::set(1)));
    auto p = L::set(1.061405429F);
    p = L::fma(p, t, L::set(-1.453152027F));
    p = L::fma(p, t, L::set(1.421413741F));
    p = L::fma(p, t, L::set(-0.284496736F));
    p = L::fma(p, t, L::set(0.254829592F));
    const auto tail =
        L::mul(L::mul(p, t), exp<L>(L::mul(z, L::sub(L::set(0), z))));
    // x > 0: x - x tail / 2; else x tail / 2.
    const auto half = L::mul(L::mul(L::abs(v), tail), L::set(0.5F));
    L::store(x + i, L::sub(L::max(v, L::set(0)), half));
  }
}

/// gelu(x) = x / (1 + exp(-2u)), u = sqrt(2 / pi) (x + 0.044715 x^3).
template <class L>
void gelu_mul(const float* gate, const float* up, std::int64_t n, float* out) {
  constexpr float kMinusTwiceRoot = -1.5957691216F;
  for (std::int64_t i = 0; i < n; i += 16) {
    const auto x = L::load(gate + i);
    const auto cubic = L::mul(L::mul(x, x), L::mul(x, L::set(0.044715F)));
    const auto u = L::mul(L::add(x, cubic), L::set(kMinusTwiceRoot));
    const auto gelu = L::div(x, L::add(L::set(1), exp<L>(u)));
    L::store(out + i, L::mul(gelu, L::load(up + i)));
  }
}

template <class L>
void rope(float* x, const float* cos, const float* sin, std::int64_t n) {
  const std::int64_t half = n / 2;
  std::int64_t i = 0;
  for (; i + 16 <= half; i += 16) {
    const auto c = L::load(cos + i);
    const auto s = L::load(sin + i);
    const auto a = L::load(x + i);
    const auto b = L::load(x + half + i);
    L::store(x + i, L::sub(L::mul(a, c), L::mul(b, s)));
    L::store(x + half + i, L::add(L::mul(b, c), L::mul(a, s)));
  }
  for (; i < half; ++i) {
    const float a = x[i];
    const float b = x[half + i];
    x[i] = a * cos[i] - b * sin[i];
    x[half + i] = b * cos[i] + a * sin[i];
  }
}

template <class L>
void softmax_exp(float* scores, std::int64_t n, float* largest, float* sum) {
  auto most = L::load(scores);
  for (std::int64_t i = 16; i < n; i += 16) {
    most = L::max(most, L::load(scores + i));
  }
  *largest = L::max_of(most);
  const auto shift = L::set(*largest);
  auto total = L::set(0);
  for (std::int64_t i = 0; i < n; i += 16) {
    const auto e = exp<L>(L::sub(L::load(scores + i), shift));
    L::store(scores + i, e);
    total = L::add(total, e);
  }
  *sum = L::sum(total);
}

template <class L>
void scale_add(float* out, float a, const float* x, float b, std::int64_t n) {
  const auto left = L::set(a);
  const auto right = L::set(b);
  for (std::int64_t i = 0; i < n; i += 16) {
    const auto scaled = L::mul(L::load(x + i), right);
    L::store(out + i, L::fma(L::load(out + i), left, scaled));
  }
}

template <class L>
float dot(const float* w, const float* x, std::int64_t n) {
  auto even = L::set(0);
  auto odd = L::set(0);
  std::int64_t i = 0;
  for (; i + 32 <= n; i += 32) {
    even = L::fma(L::load(w + i), L::load(x + i), even);
    odd = L::fma(L::load(w + i + 16), L::load(x + i + 16), odd);
  }
  if (i < n) even = L::fma(L::load(w + i), L::load(x + i), even);
  return L::sum(L::add(even, odd));
}

template <class L>
float dot_q8(const std::uint8_t* row, const float* x, std::int64_t n) {
  auto even = L::set(0);
  auto odd = L::set(0);
  for (std::int64_t i = 0; i < n; i += kBlock, row += 34) {
    const auto scale =
        L::set(half_to_float(*reinterpret_cast<const Packed2*>(row)));
    const auto* q = reinterpret_cast<const std::int8_t*>(row + 2);
    const auto first = L::mul(scale, L::load_int8(q));
    const auto second = L::mul(scale, L::load_int8(q + 16));
    even = L::fma(first, L::load(x + i), even);
    odd = L::fma(second, L::load(x + i + 16), odd);
  }
  return L::sum(L::add(even, odd));
}

}  // namespace penstock::kernels::PENSTOCK_LEVEL
