// Sixteen lanes in two AVX2 registers; see lanes_avx512.h. Where the compiler
// may use AVX-VNNI (or the same instructions of AVX-512), four products of
// bytes or two of words add up in one.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "lib/kernels/level.h"

namespace penstock::kernels::PENSTOCK_LEVEL {

struct Lanes {
#if defined(__AVXVNNI__) || defined(__AVX512VNNI__)
  static constexpr bool kVnni = true;
#else
  static constexpr bool kVnni = false;
#endif
  /// Rows of a tile: as many as there are registers for.
  static constexpr int kTileRows = 4;
  static constexpr int kByteZero = kVnni ? 0 : 128;
  static constexpr bool kHasInt16Dots = kVnni;
  static constexpr int kWideRows = 4;
  static constexpr int kFloatRows = 6;
  static constexpr int kFloatSums = 1;
  struct F {
    __m256 a, b;
  };
  struct I {
    __m256i a, b;
  };
  using Bytes = I;

  PENSTOCK_LANE F set(float x) {
    return {_mm256_set1_ps(x), _mm256_set1_ps(x)};
  }
  PENSTOCK_LANE F load(const float* p) {
    return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
  }
  PENSTOCK_LANE void store(float* p, F x) {
    _mm256_storeu_ps(p, x.a);
    _mm256_storeu_ps(p + 8, x.b);
  }
  PENSTOCK_LANE F add(F x, F y) {
    return {_mm256_add_ps(x.a, y.a), _mm256_add_ps(x.b, y.b)};
  }
  PENSTOCK_LANE F sub(F x, F y) {
    return {_mm256_sub_ps(x.a, y.a), _mm256_sub_ps(x.b, y.b)};
  }
  PENSTOCK_LANE F mul(F x, F y) {
    return {_mm256_mul_ps(x.a, y.a), _mm256_mul_ps(x.b, y.b)};
  }
  PENSTOCK_LANE F div(F x, F y) {
    return {_mm256_div_ps(x.a, y.a), _mm256_div_ps(x.b, y.b)};
  }
  PENSTOCK_LANE F max(F x, F y) {
    return {_mm256_max_ps(x.a, y.a), _mm256_max_ps(x.b, y.b)};
  }
  PENSTOCK_LANE F min(F x, F y) {
    return {_mm256_min_ps(x.a, y.a), _mm256_min_ps(x.b, y.b)};
  }
  PENSTOCK_LANE F abs(F x) {
    const __m256 sign = _mm256_set1_ps(-0.0F);
    return {_mm256_andnot_ps(sign, x.a), _mm256_andnot_ps(sign, x.b)};
  }
  PENSTOCK_LANE F fma(F x, F y, F z) {
    return {_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b)};
  }
  PENSTOCK_LANE F sqrt(F x) {
    return {_mm256_sqrt_ps(x.a), _mm256_sqrt_ps(x.b)};
  }
  PENSTOCK_LANE F round(F x) {
    constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    return {_mm256_round_ps(x.a, kNearest), _mm256_round_ps(x.b, kNearest)};
  }
  PENSTOCK_LANE F scale(F x, F n) {
    return {_mm256_mul_ps(x.a, power(n.a)), _mm256_mul_ps(x.b, power(n.b))};
  }
  PENSTOCK_LANE float sum(F x) {
    __m256 s = _mm256_add_ps(x.a, x.b);
    s = _mm256_add_ps(s, _mm256_permute2f128_ps(s, s, 1));
    s = _mm256_add_ps(s, _mm256_permute_ps(s, 0x4E));
    return _mm256_cvtss_f32(_mm256_add_ps(s, _mm256_permute_ps(s, 0xB1)));
  }
  PENSTOCK_LANE float max_of(F x) {
    __m256 s = _mm256_max_ps(x.a, x.b);
    s = _mm256_max_ps(s, _mm256_permute2f128_ps(s, s, 1));
    s = _mm256_max_ps(s, _mm256_permute_ps(s, 0x4E));
    return _mm256_cvtss_f32(_mm256_max_ps(s, _mm256_permute_ps(s, 0xB1)));
  }
  PENSTOCK_LANE unsigned at_least(F x, F y) {
    const auto half = [](__m256 p, __m256 q) {
      return static_cast<unsigned>(
          _mm256_movemask_ps(_mm256_cmp_ps(p, q, _CMP_GE_OQ)));
    };
    return half(x.a, y.a) | half(x.b, y.b) << 8U;
  }

  PENSTOCK_LANE F load_half(const std::uint16_t* p) {
    return {_mm256_cvtph_ps(_mm_loadu_si128(as<__m128i>(p))),
            _mm256_cvtph_ps(_mm_loadu_si128(as<__m128i>(p + 8)))};
  }

  PENSTOCK_LANE F load_bf16(const std::uint16_t* p) {
    const auto half = [](const std::uint16_t* at) {
      const __m256i wide =
          _mm256_cvtepu16_epi32(_mm_loadu_si128(as<__m128i>(at)));
      return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
    };
    return {half(p), half(p + 8)};
  }

  PENSTOCK_LANE F load_int8(const std::int8_t* p) {
    const auto half = [](const std::int8_t* at) {
      return _mm256_cvtepi32_ps(
          _mm256_cvtepi8_epi32(_mm_loadl_epi64(as<__m128i>(at))));
    };
    return {half(p), half(p + 8)};
  }

  PENSTOCK_LANE I zero() {
    return {_mm256_setzero_si256(), _mm256_setzero_si256()};
  }
  PENSTOCK_LANE I set_int(std::int32_t x) {
    return {_mm256_set1_epi32(x), _mm256_set1_epi32(x)};
  }
  template <class T>
  PENSTOCK_LANE void keep(T& sum) {
    asm("" : "+x"(sum.a), "+x"(sum.b));
  }
  PENSTOCK_LANE F to_float(I x) {
    return {_mm256_cvtepi32_ps(x.a), _mm256_cvtepi32_ps(x.b)};
  }
  PENSTOCK_LANE I add_int(I x, I y) {
    return {_mm256_add_epi32(x.a, y.a), _mm256_add_epi32(x.b, y.b)};
  }
  template <int kPower>
  PENSTOCK_LANE I times_power(I x) {
    return {_mm256_slli_epi32(x.a, kPower), _mm256_slli_epi32(x.b, kPower)};
  }

  PENSTOCK_LANE Bytes load_bytes(const std::uint8_t* p) {
    return {_mm256_loadu_si256(as<__m256i>(p)),
            _mm256_loadu_si256(as<__m256i>(p + 32))};
  }
  PENSTOCK_LANE void store_bytes(std::uint8_t* p, Bytes x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x.a);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 32), x.b);
  }
  PENSTOCK_LANE Bytes low(Bytes x) { return {low(x.a), low(x.b)}; }
  PENSTOCK_LANE Bytes high(Bytes x) {
    return {low(_mm256_srli_epi16(x.a, 4)), low(_mm256_srli_epi16(x.b, 4))};
  }
  PENSTOCK_LANE Bytes add_bits(Bytes x, const std::uint8_t* bits, int value) {
    return {add_bits(x.a, bits, static_cast<char>(value)),
            add_bits(x.b, bits + 4, static_cast<char>(value))};
  }
  template <int kBits>
  PENSTOCK_LANE I dot4(I acc, Bytes u, const std::int8_t* x) {
    const __m256i four =
        _mm256_set1_epi32(*reinterpret_cast<const Packed4*>(x));
    return {dot4<kBits>(acc.a, u.a, four), dot4<kBits>(acc.b, u.b, four)};
  }
  /// Running sum over a group's vectors. Products are added in 16 bits
  /// while they fit: up to 31 * 127 * 2 * 4 for 5-bit codes, 63 * 127
  /// * 2 * 2 for 6 bits.
  template <int kBits>
  struct Dots {
    static constexpr int kRun = kBits <= 5 ? 4 : 2;
    I sum, pairs;
    [[gnu::always_inline]] void add(Bytes u, const std::int8_t* x, int index,
                                    int count) {
      if constexpr (kVnni || kBits == 8) {
        sum = dot4<kBits>(sum, u, x);
        return;
      }
      const __m256i four =
          _mm256_set1_epi32(*reinterpret_cast<const Packed4*>(x));
      add(u.a, four, index, count, pairs.a, sum.a);
      add(u.b, four, index, count, pairs.b, sum.b);
    }

   private:
    PENSTOCK_LANE void add(__m256i u, __m256i x, int index, int count,
                           __m256i& pairs, __m256i& sum) {
      const __m256i products = _mm256_maddubs_epi16(u, x);
      pairs = index % kRun == 0 ? products : _mm256_add_epi16(pairs, products);
      if (index % kRun == kRun - 1 || index == count - 1) {
        sum = _mm256_add_epi32(sum,
                               _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
      }
    }
  };

  PENSTOCK_LANE I load_words(const std::int16_t* p) {
    return {_mm256_loadu_si256(as<__m256i>(p)),
            _mm256_loadu_si256(as<__m256i>(p + 16))};
  }
  PENSTOCK_LANE I widen(const std::int8_t* p) {
    return {_mm256_cvtepi8_epi16(_mm_loadu_si128(as<__m128i>(p))),
            _mm256_cvtepi8_epi16(_mm_loadu_si128(as<__m128i>(p + 16)))};
  }
  PENSTOCK_LANE I dot2(I acc, I words, const std::int16_t* x) {
    const __m256i two = _mm256_set1_epi32(*reinterpret_cast<const Packed4*>(x));
    return {add_words(acc.a, words.a, two), add_words(acc.b, words.b, two)};
  }

  PENSTOCK_LANE F dot2(F acc, const std::uint16_t* w, const std::uint16_t* x) {
    acc = fma(even(w), set(bf16_to_float(x[0])), acc);
    return fma(odd(w), set(bf16_to_float(x[1])), acc);
  }
  PENSTOCK_LANE F even(const std::uint16_t* w) {
    const auto half = [](const std::uint16_t* p) {
      return _mm256_castsi256_ps(
          _mm256_slli_epi32(_mm256_loadu_si256(as<__m256i>(p)), 16));
    };
    return {half(w), half(w + 16)};
  }
  PENSTOCK_LANE F odd(const std::uint16_t* w) {
    const auto half = [](const std::uint16_t* p) {
      return _mm256_castsi256_ps(
          _mm256_and_si256(_mm256_loadu_si256(as<__m256i>(p)),
                           _mm256_set1_epi32(static_cast<int>(0xFFFF0000))));
    };
    return {half(w), half(w + 16)};
  }

  PENSTOCK_LANE void store_int8(std::int8_t* p, F x) {
    const __m256i words = _mm256_permute4x64_epi64(
        _mm256_packs_epi32(_mm256_cvtps_epi32(x.a), _mm256_cvtps_epi32(x.b)),
        0xD8);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p),
                     _mm_packs_epi16(_mm256_castsi256_si128(words),
                                     _mm256_extracti128_si256(words, 1)));
  }
  PENSTOCK_LANE void store_int16(std::int16_t* p, F x) {
    _mm256_storeu_si256(
        reinterpret_cast<__m256i*>(p),
        _mm256_permute4x64_epi64(_mm256_packs_epi32(_mm256_cvtps_epi32(x.a),
                                                    _mm256_cvtps_epi32(x.b)),
                                 0xD8));
  }
  PENSTOCK_LANE void store_bf16(std::uint16_t* p, F x) {
    const __m256i words = _mm256_permute4x64_epi64(
        _mm256_packus_epi32(rounded(x.a), rounded(x.b)), 0xD8);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), words);
  }

 private:
  template <class T>
  PENSTOCK_LANE const T* as(const void* p) {
    return static_cast<const T*>(p);
  }
  PENSTOCK_LANE __m256i low(__m256i x) {
    return _mm256_and_si256(x, _mm256_set1_epi8(15));
  }
  PENSTOCK_LANE __m256 power(__m256 n) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(
        _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23));
  }
  PENSTOCK_LANE __m256i rounded(__m256 x) {
    const __m256i bits = _mm256_castps_si256(x);
    const __m256i odd_bit =
        _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    return _mm256_srli_epi32(
        _mm256_add_epi32(bits,
                         _mm256_add_epi32(odd_bit, _mm256_set1_epi32(0x7FFF))),
        16);
  }
  /// Adds `value` where a bit is set: each of 32 bytes receives the 8 bits of
  /// its group and tests its own.
  PENSTOCK_LANE __m256i add_bits(__m256i x, const std::uint8_t* bits,
                                 char value) {
    const __m256i spread = _mm256_shuffle_epi8(
        _mm256_set1_epi32(*reinterpret_cast<const Packed4*>(bits)),
        _mm256_set_epi64x(0x0303030303030303, 0x0202020202020202,
                          0x0101010101010101, 0));
    const __m256i own =
        _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201));
    const __m256i is_set =
        _mm256_cmpeq_epi8(_mm256_and_si256(spread, own), own);
    return _mm256_add_epi8(x,
                           _mm256_and_si256(is_set, _mm256_set1_epi8(value)));
  }
  PENSTOCK_LANE __m256i add_words(__m256i acc, __m256i w, __m256i x) {
#if defined(__AVXVNNI__)
    return _mm256_dpwssd_avx_epi32(acc, w, x);
#elif defined(__AVX512VNNI__)
    return _mm256_dpwssd_epi32(acc, w, x);
#else
    return _mm256_add_epi32(acc, _mm256_madd_epi16(w, x));
#endif
  }
  /// Adds four products a lane. Without VNNI the sum of two products fits 16
  /// bits for codes of up to 7 bits; 8-bit codes are centred, and their sign
  /// moves to x.
  template <int kBits>
  PENSTOCK_LANE __m256i dot4(__m256i acc, __m256i u, __m256i x) {
#if defined(__AVXVNNI__)
    return _mm256_dpbusd_avx_epi32(acc, u, x);
#elif defined(__AVX512VNNI__)
    return _mm256_dpbusd_epi32(acc, u, x);
#else
    const __m256i one = _mm256_set1_epi16(1);
    if constexpr (kBits < 8) {
      return _mm256_add_epi32(
          acc, _mm256_madd_epi16(_mm256_maddubs_epi16(u, x), one));
    } else {
      const __m256i centred = _mm256_xor_si256(u, _mm256_set1_epi8(-128));
      const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(centred),
                                                 _mm256_sign_epi8(x, centred));
      return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, one));
    }
#endif
  }
};

}  // namespace penstock::kernels::PENSTOCK_LEVEL
