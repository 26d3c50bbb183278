// The arithmetic of the native engines, compiled once per instruction set.
//
// A matrix lies in panels: sixteen rows side by side, one a lane of the vector
// registers. A dot product then needs no horizontal sum, and a panel is read
// from front to back. Quantised weights are multiplied with activations of 8
// bits; other matrices are floats, bfloat16, or rounded to 16 or 8 bits with a
// scale for 64 columns (16-bit products lose little and are twice as many a
// register as floats, 8-bit ones four times as many). Each row of activations
// goes through the same operations in the same order however many rows there
// are, so its result never depends on its neighbours.
//
// README.md tells the whole way and draws a panel.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace penstock::kernels {

inline constexpr std::int64_t kPanel = 16;  ///< rows of a panel
inline constexpr std::int64_t kBlock = 32;  ///< activations that share a scale
inline constexpr std::int64_t kWide = 64;   ///< the block of rounded types
/// Largest int16 magnitude for which 64 products still fit an int32.
inline constexpr int kMost16 = 5792;
/// Largest int16 magnitude for which 1,024 products with a signed byte still
/// fit an int32.
inline constexpr int kMostShort = 16383;

/// How a packed matrix is stored and what it is multiplied with.
enum class PackedType : std::uint8_t {
  // Quantised: bits, columns that share a scale, zero point or minimum.
  // Multiplied with 8-bit rows.
  kCodes8,         ///< 8, 32, 128: Q8_0, IQ4_NL
  kCodes4,         ///< 4, 32, 8: Q4_0
  kCodes5,         ///< 5, 32, 16: Q5_0
  kCodes4Minimum,  ///< 4, 32, minimum: Q4_1
  kCodes5Minimum,  ///< 5, 32, minimum: Q5_1
  kWide4Minimum,   ///< 4, 32, minimum: Q4_K; wide: f32 scales
  kWide5Minimum,   ///< 5, 32, minimum: Q5_K
  kFine4,          ///< 4, 16, 4: Q3_K; fine: a scale for 16 columns
  kFine4Minimum,   ///< 4, 16, minimum: Q2_K
  kFine6,          ///< 6, 16, 32: Q6_K
  kBf16,           ///< bfloat16, by bfloat16 rows
  kBf16ByF32,      ///< bfloat16, by float rows
  kF32,            ///< floats, by float rows
  // Rounded to whole numbers, a scale for 64 columns.
  kInt16,  ///< 16 bits, by 16-bit rows
  kInt8,   ///< 8 bits with zero point 128, by 8-bit rows
  // Signed bytes whose scales the caller keeps.
  kBytes,  ///< 8 bits, by 16-bit rows with a scale each
};
inline constexpr int kKinds = 16;

/// A matrix [rows, columns] as panels one after the other.
struct Panels {
  PackedType kind = PackedType::kF32;
  std::int64_t rows = 0, columns = 0;
  const std::uint8_t* data = nullptr;
  std::int64_t panel_bytes = 0;

  [[nodiscard]] std::int64_t panels() const {
    return (rows + kPanel - 1) / kPanel;
  }
};

/// 32 activations of 8 bits: number = scale * q.
struct Int8Block {
  std::int8_t q[kBlock];  // NOLINT(*-avoid-c-arrays): read as registers
  float scale;
  /// Negative sum of q (of each half): the correction for a zero point.
  std::int32_t minus_sum;
  std::int32_t minus_half_sums[2];  // NOLINT(*-avoid-c-arrays)
};

/// Rows of activations rounded by blocks of 64: number =
/// scale of its block * q.
template <class T>
struct WideRows {
  T* q = nullptr;           ///< [n, columns]
  float* scales = nullptr;  ///< [n, columns / 64]
  /// [n, columns / 64], of 8 bits only: start value of a block's sum, which
  /// removes the zero point 128 of the matrix.
  std::int32_t* starts = nullptr;
};

/// Rows of 16-bit numbers: number = scale of its row * q.
struct ShortRows {
  std::int16_t* q = nullptr;  ///< [n, columns]
  float* scales = nullptr;    ///< [n]
};

/// Activations [n, columns] in the form that a matrix's
/// type is multiplied with.
struct Activations {
  const Int8Block* int8 = nullptr;  ///< [n, columns / 32]
  WideRows<std::int16_t> wide16;
  WideRows<std::int8_t> wide8;
  ShortRows shorts;
  std::uint16_t* bf16 = nullptr;
  float* f32 = nullptr;
};

/// Panels of the vocabulary head's codes (screen_codes.h). A panel holds 16 row
/// scales, then codes, 32 columns at a time: the first `fine` columns as bytes
/// with zero point 128 (eight vectors of 4 codes a lane), the others as nibbles
/// with zero point 8 (vectors v and v + 4 in one byte).
struct ScreenPanels {
  static constexpr std::int64_t kFineSegment = 32;
  static constexpr std::int64_t kCoarseSegment = 128;

  std::int64_t rows = 0, columns = 0, fine = 0;  ///< columns: multiples of 32
  const std::uint8_t* data = nullptr;
  std::int64_t panel_bytes = 0;

  [[nodiscard]] std::int64_t panels() const {
    return (rows + kPanel - 1) / kPanel;
  }
  /// Number of segments of a hidden state, each with one scale; the
  /// last may be shorter.
  [[nodiscard]] std::int64_t segments() const {
    return fine / kFineSegment +
           (columns - fine + kCoarseSegment - 1) / kCoarseSegment;
  }
};

/// Hidden states as screening takes them: number = scale of its segment * q.
struct ScreenActivations {
  const std::int8_t* q = nullptr;            ///< [n, columns]
  const float* scales = nullptr;             ///< [n, segments]
  const std::int32_t* minus_sums = nullptr;  ///< [n, segments]: -sum of q
  const float* constants = nullptr;          ///< [n], added to every score
};

struct Kernels {
  const char* name = "";
  /// Whether 16-bit products add up in one instruction, which makes them twice
  /// as fast as products of floats.
  bool has_int16_dots = false;

  /// y[r, 16 p + lane] for n rows by each row of panels [first, last).
  using MatMul = void (*)(const Panels& w, std::int64_t first,
                          std::int64_t last, const Activations& x,
                          std::int64_t n, float* y, std::int64_t y_stride);
  MatMul matmul[kKinds] = {};  // NOLINT(*-avoid-c-arrays): a table

  /// out = x / sqrt(mean(x^2) + epsilon) * weight
  void (*norm)(const float* x, const float* weight, std::int64_t n,
               float epsilon, float* out) = nullptr;
  /// out = (x - mean) / sqrt(variance + epsilon) * weight + bias
  void (*layer_norm)(const float* x, const float* weight, const float* bias,
                     std::int64_t n, float epsilon, float* out) = nullptr;
  /// x += norm(y)
  void (*add_norm)(const float* y, const float* weight, std::int64_t n,
                   float epsilon, float* x) = nullptr;
  /// Rounds to blocks of 8 bits; n is a multiple of 32.
  void (*quantise)(const float* x, std::int64_t n, Int8Block* to) = nullptr;
  /// Rounds into row r of `to`; n is a multiple of 64.
  void (*quantise16)(const float* x, std::int64_t n, std::int64_t r,
                     const WideRows<std::int16_t>& to) = nullptr;
  void (*quantise8)(const float* x, std::int64_t n, std::int64_t r,
                    const WideRows<std::int8_t>& to) = nullptr;
  /// Rounds a row to whole numbers within kMostShort; returns the scale.
  float (*quantise_row16)(const float* x, std::int64_t n,
                          std::int16_t* q) = nullptr;
  void (*to_bf16)(const float* x, std::int64_t n, std::uint16_t* to) = nullptr;
  /// x = gelu(x), exact to 3e-7 of 1 + |x|.
  void (*gelu)(float* x, std::int64_t n) = nullptr;
  /// out = gelu(gate) * up, the tanh form.
  void (*gelu_mul)(const float* gate, const float* up, std::int64_t n,
                   float* out) = nullptr;
  /// Rotary position embedding: rotates the pairs (i, n / 2 + i).
  void (*rope)(float* x, const float* cos, const float* sin,
               std::int64_t n) = nullptr;
  /// Replaces scores [n] by exp(score - largest); returns largest and sum.
  void (*softmax_exp)(float* scores, std::int64_t n, float* largest,
                      float* sum) = nullptr;
  /// out = out * a + x * b
  void (*scale_add)(float* out, float a, const float* x, float b,
                    std::int64_t n) = nullptr;
  /// Dot product: the sum of w[i] * x[i].
  float (*dot)(const float* w, const float* x, std::int64_t n) = nullptr;
  /// Dot product with a row of Q8_0 blocks, dequantised on the way: the bits
  /// that dot() gives for the dequantised row.
  float (*dot_q8)(const std::uint8_t* row, const float* x,
                  std::int64_t n) = nullptr;

  /// Quantises with a given step: q = x / step, rounded and clamped to [least,
  /// most]. `left` and `held` become upper bounds of the lengths of x - q *
  /// step and of q * step.
  void (*round_to)(const float* x, std::int64_t n, float step, float least,
                   float most, std::int8_t* q, float* left,
                   float* held) = nullptr;
  /// Approximate scores of panels [first, last), laid out in y as by matmul.
  void (*screen)(const ScreenPanels& planes, std::int64_t first,
                 std::int64_t last, const ScreenActivations& x, std::int64_t n,
                 float* y, std::int64_t y_stride) = nullptr;
  /// Index of the first value in [begin, end) that is >= floor, or `end`.
  std::int64_t (*find_at_least)(const float* values, float floor,
                                std::int64_t begin, std::int64_t end) = nullptr;
  /// Index of the first i in [begin, end) with values[i] + the dot product of
  /// bounds[.][i] and factors >= floor, or `end`; `bounds` are kBounds columns
  /// of bfloat16.
  static constexpr int kBounds = 4;
  std::int64_t (*find_reaching)(const float* values,
                                const std::uint16_t* const* bounds,
                                const float* factors, float floor,
                                std::int64_t begin, std::int64_t end) = nullptr;
};

/// The best level that this processor can run, or the one that PENSTOCK_ISA
/// names. Throws Error(kUsage) for a name that does not exist (see names()) or
/// that the processor lacks.
[[nodiscard]] const Kernels& best();
/// Names of this build's levels, best first, also of those that
/// the processor lacks.
[[nodiscard]] std::span<const std::string_view> names();
/// The level of that name; null when the processor cannot run it.
[[nodiscard]] const Kernels* find(std::string_view name);

}  // namespace penstock::kernels
