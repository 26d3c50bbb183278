// Sixteen lanes in plain C++, for any processor; see lanes_avx512.h.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "lib/kernels/level.h"

namespace penstock::kernels::PENSTOCK_LEVEL {

/// Array with an int index.
template <class T, int kCount = 16>
struct Sixteen {
  T at[kCount];  // NOLINT(*-avoid-c-arrays)
  T& operator[](int i) { return at[i]; }
  const T& operator[](int i) const { return at[i]; }
};

struct Lanes {
  /// Rows of a tile: as many as there are registers for.
  static constexpr int kTileRows = 2;
  static constexpr int kByteZero = 0;
  static constexpr bool kHasInt16Dots = false;
  static constexpr int kWideRows = 2;
  static constexpr int kFloatRows = 2;
  static constexpr int kFloatSums = 2;
  using F = Sixteen<float>;
  using I = Sixteen<std::int32_t>;
  using Bytes = Sixteen<std::uint8_t, 64>;

  PENSTOCK_LANE F set(float x) {
    F out;
    for (float& lane : out.at) lane = x;
    return out;
  }
  PENSTOCK_LANE F load(const float* p) {
    F out;
    std::memcpy(out.at, p, sizeof out);
    return out;
  }
  PENSTOCK_LANE void store(float* p, const F& x) {
    std::memcpy(p, x.at, sizeof x);
  }
  PENSTOCK_LANE F add(const F& a, const F& b) {
    return each([&](int i) { return a[i] + b[i]; });
  }
  PENSTOCK_LANE F sub(const F& a, const F& b) {
    return each([&](int i) { return a[i] - b[i]; });
  }
  PENSTOCK_LANE F mul(const F& a, const F& b) {
    return each([&](int i) { return a[i] * b[i]; });
  }
  PENSTOCK_LANE F div(const F& a, const F& b) {
    return each([&](int i) { return a[i] / b[i]; });
  }
  PENSTOCK_LANE F max(const F& a, const F& b) {
    return each([&](int i) { return std::max(a[i], b[i]); });
  }
  PENSTOCK_LANE F min(const F& a, const F& b) {
    return each([&](int i) { return std::min(a[i], b[i]); });
  }
  PENSTOCK_LANE F abs(const F& a) {
    return each([&](int i) { return std::fabs(a[i]); });
  }
  /// Rounded once or twice: each level has its own arithmetic.
  PENSTOCK_LANE F fma(const F& a, const F& b, const F& c) {
    return each([&](int i) { return a[i] * b[i] + c[i]; });
  }
  PENSTOCK_LANE F sqrt(const F& a) {
    return each([&](int i) { return std::sqrt(a[i]); });
  }
  PENSTOCK_LANE F round(const F& a) {
    return each([&](int i) { return std::nearbyint(a[i]); });
  }
  PENSTOCK_LANE F scale(const F& a, const F& n) {
    return each(
        [&](int i) { return std::ldexp(a[i], static_cast<int>(n[i])); });
  }
  PENSTOCK_LANE float sum(F a) {
    for (int half = 8; half > 0; half /= 2) {
      for (int i = 0; i < half; ++i) a[i] += a[i + half];
    }
    return a[0];
  }
  PENSTOCK_LANE float max_of(const F& a) {
    return *std::max_element(a.at, a.at + 16);
  }
  PENSTOCK_LANE unsigned at_least(const F& a, const F& b) {
    unsigned bits = 0;
    for (int i = 0; i < 16; ++i) bits |= a[i] >= b[i] ? 1U << i : 0U;
    return bits;
  }

  PENSTOCK_LANE F load_half(const std::uint16_t* p) {
    return each([&](int i) { return half_to_float(p[i]); });
  }

  PENSTOCK_LANE F load_bf16(const std::uint16_t* p) {
    return each([&](int i) { return bf16_to_float(p[i]); });
  }

  PENSTOCK_LANE F load_int8(const std::int8_t* p) {
    return each([&](int i) { return static_cast<float>(p[i]); });
  }

  PENSTOCK_LANE I zero() { return {}; }
  PENSTOCK_LANE I set_int(std::int32_t x) {
    I out;
    for (auto& number : out.at) number = x;
    return out;
  }
  template <class T>
  PENSTOCK_LANE void keep(const T& /*sum*/) {}
  PENSTOCK_LANE F to_float(const I& a) {
    return each([&](int i) { return static_cast<float>(a[i]); });
  }
  PENSTOCK_LANE I add_int(I a, const I& b) {
    for (int i = 0; i < 16; ++i) a[i] += b[i];
    return a;
  }
  template <int kPower>
  PENSTOCK_LANE I times_power(I a) {
    for (auto& number : a.at) number *= 1 << kPower;
    return a;
  }

  PENSTOCK_LANE Bytes load_bytes(const std::uint8_t* p) {
    Bytes out;
    std::memcpy(out.at, p, sizeof out);
    return out;
  }
  PENSTOCK_LANE void store_bytes(std::uint8_t* p, const Bytes& a) {
    std::memcpy(p, a.at, sizeof a);
  }
  PENSTOCK_LANE Bytes low(Bytes a) {
    for (auto& byte : a.at) byte &= 15U;
    return a;
  }
  PENSTOCK_LANE Bytes high(Bytes a) {
    for (auto& byte : a.at) byte = static_cast<std::uint8_t>(byte >> 4U);
    return a;
  }
  PENSTOCK_LANE Bytes add_bits(Bytes a, const std::uint8_t* bits, int value) {
    for (int i = 0; i < 64; ++i) {
      const unsigned bit = bits[i / 8] >> (i % 8) & 1U;
      a[i] = static_cast<std::uint8_t>(a[i] + static_cast<int>(bit) * value);
    }
    return a;
  }
  template <int kBits>
  PENSTOCK_LANE I dot4(I acc, const Bytes& u, const std::int8_t* x) {
    for (int i = 0; i < 16; ++i) {
      for (int j = 0; j < 4; ++j) acc[i] += u[4 * i + j] * x[j];
    }
    return acc;
  }
  template <int kBits>
  struct Dots {
    I sum;
    [[gnu::always_inline]] void add(const Bytes& u, const std::int8_t* x,
                                    int /*index*/, int /*count*/) {
      sum = dot4<kBits>(sum, u, x);
    }
  };

  PENSTOCK_LANE Sixteen<std::int16_t, 32> load_words(const std::int16_t* p) {
    Sixteen<std::int16_t, 32> out{};
    std::memcpy(out.at, p, sizeof out);
    return out;
  }
  PENSTOCK_LANE Sixteen<std::int16_t, 32> widen(const std::int8_t* p) {
    Sixteen<std::int16_t, 32> out{};
    std::copy_n(p, 32, out.at);
    return out;
  }
  PENSTOCK_LANE I dot2(I acc, const Sixteen<std::int16_t, 32>& words,
                       const std::int16_t* x) {
    for (int i = 0; i < 16; ++i) {
      acc[i] += words[2 * i] * x[0] + words[2 * i + 1] * x[1];
    }
    return acc;
  }

  PENSTOCK_LANE F dot2(const F& acc, const std::uint16_t* w,
                       const std::uint16_t* x) {
    return fma(odd(w), set(bf16_to_float(x[1])),
               fma(even(w), set(bf16_to_float(x[0])), acc));
  }
  PENSTOCK_LANE F even(const std::uint16_t* w) {
    return each([&](int i) { return bf16_to_float(w[std::ptrdiff_t{2} * i]); });
  }
  PENSTOCK_LANE F odd(const std::uint16_t* w) {
    return each(
        [&](int i) { return bf16_to_float(w[std::ptrdiff_t{2} * i + 1]); });
  }

  PENSTOCK_LANE void store_int8(std::int8_t* p, const F& a) {
    for (int i = 0; i < 16; ++i) {
      p[i] = static_cast<std::int8_t>(std::lrintf(a[i]));
    }
  }
  PENSTOCK_LANE void store_int16(std::int16_t* p, const F& a) {
    for (int i = 0; i < 16; ++i) {
      p[i] = static_cast<std::int16_t>(std::lrintf(a[i]));
    }
  }
  PENSTOCK_LANE void store_bf16(std::uint16_t* p, const F& a) {
    for (int i = 0; i < 16; ++i) p[i] = float_to_bf16(a[i]);
  }

 private:
  template <class Body>
  PENSTOCK_LANE F each(const Body& body) {
    F out;
    for (int i = 0; i < 16; ++i) out[i] = body(i);
    return out;
  }
};

}  // namespace penstock::kernels::PENSTOCK_LEVEL
