// Sixteen lanes in one AVX-512 register. Every lanes_*.h defines the same
// functions; the kernels are written once, over any of them.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "lib/kernels/level.h"

namespace penstock::kernels::PENSTOCK_LEVEL {

struct Lanes {
  /// Rows of a tile: as many as there are registers for.
  static constexpr int kTileRows = 8;
  /// Zero point that dot4() itself removes from 8-bit codes.
  static constexpr int kByteZero = 0;
  static constexpr bool kHasInt16Dots = true;
  static constexpr int kWideRows = 16;  ///< rows of a tile of rounded numbers
  static constexpr int kFloatRows = 8;  ///< rows of a tile of floats
  static constexpr int kFloatSums = 2;  ///< sums that a row of floats has
  using F = __m512;                     ///< 16 floats
  using I = __m512i;                    ///< 16 int32
  using Bytes = __m512i;                ///< 4 unsigned bytes a lane

  PENSTOCK_LANE F set(float x) { return _mm512_set1_ps(x); }
  PENSTOCK_LANE F load(const float* p) { return _mm512_loadu_ps(p); }
  PENSTOCK_LANE void store(float* p, F x) { _mm512_storeu_ps(p, x); }
  PENSTOCK_LANE F add(F a, F b) { return _mm512_add_ps(a, b); }
  PENSTOCK_LANE F sub(F a, F b) { return _mm512_sub_ps(a, b); }
  PENSTOCK_LANE F mul(F a, F b) { return _mm512_mul_ps(a, b); }
  PENSTOCK_LANE F div(F a, F b) { return _mm512_div_ps(a, b); }
  PENSTOCK_LANE F max(F a, F b) { return _mm512_max_ps(a, b); }
  PENSTOCK_LANE F min(F a, F b) { return _mm512_min_ps(a, b); }
  PENSTOCK_LANE F abs(F a) { return _mm512_abs_ps(a); }
  /// a * b + c, rounded once.
  PENSTOCK_LANE F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
  PENSTOCK_LANE F sqrt(F a) { return _mm512_sqrt_ps(a); }
  PENSTOCK_LANE F round(F a) {
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT);
  }
  /// a * 2^n for a whole n.
  PENSTOCK_LANE F scale(F a, F n) { return _mm512_scalef_ps(a, n); }
  PENSTOCK_LANE float sum(F a) { return _mm512_reduce_add_ps(a); }
  PENSTOCK_LANE float max_of(F a) { return _mm512_reduce_max_ps(a); }
  /// Bit i: lane i of a is at least that of b.
  PENSTOCK_LANE unsigned at_least(F a, F b) {
    return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ);
  }

  PENSTOCK_LANE F load_half(const std::uint16_t* p) {
    return _mm512_cvtph_ps(
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }

  PENSTOCK_LANE F load_bf16(const std::uint16_t* p) {
    const I wide = _mm512_cvtepu16_epi32(
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
  }

  PENSTOCK_LANE F load_int8(const std::int8_t* p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  }

  PENSTOCK_LANE I zero() { return _mm512_setzero_si512(); }
  PENSTOCK_LANE I set_int(std::int32_t x) { return _mm512_set1_epi32(x); }
  /// Keeps a sum in its register: the compiler would move and spill them.
  template <class T>
  PENSTOCK_LANE void keep(T& sum) {
    asm("" : "+v"(sum));
  }
  PENSTOCK_LANE F to_float(I a) { return _mm512_cvtepi32_ps(a); }
  PENSTOCK_LANE I add_int(I a, I b) { return _mm512_add_epi32(a, b); }
  /// a * 2^kPower
  template <int kPower>
  PENSTOCK_LANE I times_power(I a) {
    return _mm512_slli_epi32(a, kPower);
  }

  PENSTOCK_LANE Bytes load_bytes(const std::uint8_t* p) {
    return _mm512_loadu_si512(p);
  }
  PENSTOCK_LANE void store_bytes(std::uint8_t* p, Bytes a) {
    _mm512_storeu_si512(p, a);
  }
  PENSTOCK_LANE Bytes low(Bytes a) {
    return _mm512_and_si512(a, _mm512_set1_epi8(15));
  }
  PENSTOCK_LANE Bytes high(Bytes a) {
    return _mm512_and_si512(_mm512_srli_epi16(a, 4), _mm512_set1_epi8(15));
  }
  /// Adds `value` to each byte whose bit is set in the 64 bits at `bits`.
  PENSTOCK_LANE Bytes add_bits(Bytes a, const std::uint8_t* bits, int value) {
    return _mm512_mask_add_epi8(
        a,
        _load_mask64(reinterpret_cast<__mmask64*>(
            const_cast<std::uint8_t*>(bits))),  // NOLINT: an old signature
        a, _mm512_set1_epi8(static_cast<char>(value)));
  }
  /// Adds four products a lane: unsigned codes below 2^kBits by the signed
  /// bytes at x. kByteZero is subtracted from 8-bit codes first.
  template <int kBits>
  PENSTOCK_LANE I dot4(I acc, Bytes u, const std::int8_t* x) {
    return _mm512_dpbusd_epi32(
        acc, u, _mm512_set1_epi32(*reinterpret_cast<const Packed4*>(x)));
  }

  /// Running sum over a group's `count` vectors; add() takes vector `index`.
  template <int kBits>
  struct Dots {
    I sum;
    [[gnu::always_inline]] void add(Bytes u, const std::int8_t* x,
                                    int /*index*/, int /*count*/) {
      sum = dot4<kBits>(sum, u, x);
    }
  };

  /// Loads two 16-bit numbers a lane.
  PENSTOCK_LANE I load_words(const std::int16_t* p) {
    return _mm512_loadu_si512(p);
  }
  /// Loads two signed bytes a lane, widened to 16 bits.
  PENSTOCK_LANE I widen(const std::int8_t* p) {
    return _mm512_cvtepi8_epi16(
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  /// Adds each lane's two products with the pair of numbers at x.
  PENSTOCK_LANE I dot2(I acc, I words, const std::int16_t* x) {
    return _mm512_dpwssd_epi32(
        acc, words, _mm512_set1_epi32(*reinterpret_cast<const Packed4*>(x)));
  }

  /// Adds two bfloat16 products a lane: columns (k, k + 1) at
  /// w by the pair at x.
  PENSTOCK_LANE F dot2(F acc, const std::uint16_t* w, const std::uint16_t* x) {
#ifdef __AVX512BF16__
    return _mm512_dpbf16_ps(
        acc, reinterpret_cast<__m512bh>(_mm512_loadu_si512(w)),
        reinterpret_cast<__m512bh>(
            _mm512_set1_epi32(*reinterpret_cast<const Packed4*>(x))));
#else
    acc = fma(even(w), set(bf16_to_float(x[0])), acc);
    return fma(odd(w), set(bf16_to_float(x[1])), acc);
#endif
  }
  PENSTOCK_LANE F even(const std::uint16_t* w) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_loadu_si512(w), 16));
  }
  PENSTOCK_LANE F odd(const std::uint16_t* w) {
    return _mm512_castsi512_ps(
        _mm512_and_si512(_mm512_loadu_si512(w),
                         _mm512_set1_epi32(static_cast<int>(0xFFFF0000))));
  }

  /// Stores whole numbers, which must be within int8.
  PENSTOCK_LANE void store_int8(std::int8_t* p, F a) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p),
                     _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(a)));
  }
  /// Stores rounded numbers, which must be within int16.
  PENSTOCK_LANE void store_int16(std::int16_t* p, F a) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm512_cvtepi32_epi16(_mm512_cvtps_epi32(a)));
  }
  PENSTOCK_LANE void store_bf16(std::uint16_t* p, F a) {
    const __m512i bits = _mm512_castps_si512(a);
    const __m512i odd_bit =
        _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i rounded = _mm512_add_epi32(
        bits, _mm512_add_epi32(odd_bit, _mm512_set1_epi32(0x7FFF)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16)));
  }
};

}  // namespace penstock::kernels::PENSTOCK_LEVEL
