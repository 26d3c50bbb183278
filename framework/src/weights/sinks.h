// What becomes of the codes that a block's decode() hands out (blocks.h).
//
// The order of operations and the roundings are ggml's; the files that include
// this are compiled with -ffp-contract=off.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace penstock::weights {

template <std::size_t N>
using Codes = std::array<std::uint8_t, N>;

/// Numbers, one after the other.
struct FloatSink {
  float* __restrict out;

  template <std::size_t N>
  void centred(const Codes<N>& q, float scale, int zero) {
    for (std::size_t i = 0; i < N; ++i) {
      out[i] = scale * static_cast<float>(q[i] - zero);
    }
    out += N;
  }
  template <std::size_t N>
  void plus(const Codes<N>& q, float scale, float minimum) {
    for (std::size_t i = 0; i < N; ++i) {
      out[i] = scale * static_cast<float>(q[i]) + minimum;
    }
    out += N;
  }
  template <std::size_t N>
  void minus(const Codes<N>& q, float scale, float minimum) {
    for (std::size_t i = 0; i < N; ++i) {
      out[i] = scale * static_cast<float>(q[i]) - minimum;
    }
    out += N;
  }
};

/// The codes themselves, and a scale and a minimum (to be subtracted) a group.
struct CodeSink {
  std::uint8_t* __restrict codes;
  float* __restrict scales;
  float* __restrict minimums;

  template <std::size_t N>
  void centred(const Codes<N>& q, float scale, int /*zero*/) {
    minus(q, scale, 0);
  }
  template <std::size_t N>
  void plus(const Codes<N>& q, float scale, float minimum) {
    minus(q, scale, -minimum);
  }
  template <std::size_t N>
  void minus(const Codes<N>& q, float scale, float minimum) {
    codes = std::copy(q.begin(), q.end(), codes);
    *scales++ = scale;
    *minimums++ = minimum;
  }
};

}  // namespace penstock::weights
