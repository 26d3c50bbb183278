// The arithmetic of the native engines, compiled once per instruction set.
//
// Sixteen rows of a matrix stand side by side, one a lane, and are called a
// panel: a dot product needs no horizontal sum, and a panel is read from front
// to back. Quantised weights meet activations of 8 bits; the others are float,
// or rounded: 16-bit numbers by 16-bit numbers lose little and are twice as
// many a register, 8-bit ones are four times as many. Each row of activations
// goes through the same operations in the same order however many rows there
// are, so a row never depends on its neighbours.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace penstock::kernels {

inline constexpr std::int64_t kPanel = 16;  ///< rows of a panel
inline constexpr std::int64_t kBlock = 32;  ///< activations that share a scale
inline constexpr std::int64_t kWide = 64;   ///< the same of rounded kinds
/// The largest 16-bit number: a block's products of two add up to an int32.
inline constexpr int kMost16 = 5792;
/// The same where up to 1,024 are multiplied with bytes.
inline constexpr int kMostShort = 16383;

/// How a packed matrix is stored and what it is multiplied with.
enum class PackedType : std::uint8_t {
  // Codes: bits, numbers a scale, the code of number 0 or a minimum. By 8-bit
  // rows.
  kCodes8,         ///< 8, 32, 128: Q8_0, IQ4_NL
  kCodes4,         ///< 4, 32, 8: Q4_0
  kCodes5,         ///< 5, 32, 16: Q5_0
  kCodes4Minimum,  ///< Q4_1
  kCodes5Minimum,  ///< Q5_1
  kWide4Minimum,   ///< Q4_K; wide: f32 scales
  kWide5Minimum,   ///< Q5_K
  kFine4,          ///< 4, 16, 4: Q3_K; fine: a scale every 16
  kFine4Minimum,   ///< Q2_K
  kFine6,          ///< 6, 16, 32: Q6_K
  kBf16,           ///< by bfloat16 rows
  kBf16ByF32,      ///< by float rows
  kF32,            ///< by float rows
  // Rounded, 64 columns a scale.
  kInt16,  ///< by 16-bit rows
  kInt8,   ///< by 8-bit rows; 128 is added
  // Signed bytes whose scales the caller knows.
  kBytes,  ///< by 16-bit rows with a scale each
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
  /// 0 less what the q's, or those of a half, add up to.
  std::int32_t minus_sum;
  std::int32_t minus_half_sums[2];  // NOLINT(*-avoid-c-arrays)
};

/// ActivationRows for a rounded kind: number = scale of its block * q.
template <class T>
struct WideRows {
  T* q = nullptr;           ///< [n, columns]
  float* scales = nullptr;  ///< [n, columns / 64]
  /// [n, columns / 64]: what a block's sums begin with, as 128 is added to the
  /// matrix; of 8 bits only.
  std::int32_t* starts = nullptr;
};

/// Rows of 16-bit numbers: number = scale of its row * q.
struct ShortRows {
  std::int16_t* q = nullptr;  ///< [n, columns]
  float* scales = nullptr;    ///< [n]
};

/// Activations [n, columns] in the form that a matrix's kind asks for.
struct Activations {
  const Int8Block* int8 = nullptr;  ///< [n, columns / 32]
  WideRows<std::int16_t> wide16;
  WideRows<std::int8_t> wide8;
  ShortRows shorts;
  std::uint16_t* bf16 = nullptr;
  float* f32 = nullptr;
};

/// Codes of the vocabulary head; see screen_codes.h. A panel holds 16 scales,
/// then the codes of 32 columns at a time: the first `fine` columns as bytes
/// with 128 for number 0, eight vectors of 4 codes a lane; the others as
/// nibbles with 8, vectors v and v + 4 in one.
struct ScreenPanels {
  static constexpr std::int64_t kFineSegment = 32;
  static constexpr std::int64_t kCoarseSegment = 128;

  std::int64_t rows = 0, columns = 0, fine = 0;  ///< columns: multiples of 32
  const std::uint8_t* data = nullptr;
  std::int64_t panel_bytes = 0;

  /// Parts of a hidden state with one scale each; the last may be shorter.
  [[nodiscard]] std::int64_t segments() const {
    return fine / kFineSegment +
           (columns - fine + kCoarseSegment - 1) / kCoarseSegment;
  }
};

/// Hidden states to be screened: number = scale of its segment * q.
struct ScreenActivations {
  const std::int8_t* q = nullptr;            ///< [n, columns]
  const float* scales = nullptr;             ///< [n, segments]
  const std::int32_t* minus_sums = nullptr;  ///< [n, segments], of q's
  const float* constants = nullptr;          ///< [n], added to every score
};

struct Kernels {
  const char* name = "";
  /// A product of 16-bit numbers adds up in one instruction: then they are
  /// twice as fast as floats.
  bool has_int16_dots = false;

  /// y[r, 16 p + lane] of panels [first, last) for n rows.
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
  void (*quantise)(const float* x, std::int64_t n, Int8Block* to) = nullptr;
  /// Row r of `to`; n is a multiple of 64.
  void (*quantise16)(const float* x, std::int64_t n, std::int64_t r,
                     const WideRows<std::int16_t>& to) = nullptr;
  void (*quantise8)(const float* x, std::int64_t n, std::int64_t r,
                    const WideRows<std::int8_t>& to) = nullptr;
  /// A row's q within kMostShort; returns its scale.
  float (*quantise_row16)(const float* x, std::int64_t n,
                          std::int16_t* q) = nullptr;
  void (*to_bf16)(const float* x, std::int64_t n, std::uint16_t* to) = nullptr;
  /// x = gelu(x), exact to 3e-7 of 1 + |x|.
  void (*gelu)(float* x, std::int64_t n) = nullptr;
  /// out = gelu(gate) * up, the tanh form.
  void (*gelu_mul)(const float* gate, const float* up, std::int64_t n,
                   float* out) = nullptr;
  /// Rotates the pairs (i, n / 2 + i).
  void (*rope)(float* x, const float* cos, const float* sin,
               std::int64_t n) = nullptr;
  /// scores [n] to exp(score - largest); returns largest and sum.
  void (*softmax_exp)(float* scores, std::int64_t n, float* largest,
                      float* sum) = nullptr;
  /// out = out * a + x * b
  void (*scale_add)(float* out, float a, const float* x, float b,
                    std::int64_t n) = nullptr;
  /// Sum of w[i] * x[i].
  float (*dot)(const float* w, const float* x, std::int64_t n) = nullptr;
  /// The same of a row of Q8_0 blocks, dequantised on the way; equal bits.
  float (*dot_q8)(const std::uint8_t* row, const float* x,
                  std::int64_t n) = nullptr;

  /// q = x / step, to a whole number within [least, most]; sets the lengths of
  /// what q * step leaves out and holds, a little more than they are.
  void (*round_to)(const float* x, std::int64_t n, float step, float least,
                   float most, std::int8_t* q, float* left,
                   float* held) = nullptr;
  /// Approximate scores of panels [first, last); y as in matmul.
  void (*screen)(const ScreenPanels& planes, std::int64_t first,
                 std::int64_t last, const ScreenActivations& x, std::int64_t n,
                 float* y, std::int64_t y_stride) = nullptr;
  /// First index in [begin, end) with value >= floor; end: none.
  std::int64_t (*find_at_least)(const float* values, float floor,
                                std::int64_t begin, std::int64_t end) = nullptr;
  /// As find_at_least, for values + bounds . factors; `bounds`: kBounds columns
  /// of bfloat16.
  static constexpr int kBounds = 4;
  std::int64_t (*find_reaching)(const float* values,
                                const std::uint16_t* const* bounds,
                                const float* factors, float floor,
                                std::int64_t begin, std::int64_t end) = nullptr;
};

/// The best that this processor can run, or the one PENSTOCK_ISA names
/// (see names()). Throws Error(kUsage) for a name that
/// does not exist or that the processor lacks.
[[nodiscard]] const Kernels& best();
/// The levels of this build, best first, also those that the processor lacks.
[[nodiscard]] std::span<const std::string_view> names();
/// By name; null when the processor cannot.
[[nodiscard]] const Kernels* find(std::string_view name);

}  // namespace penstock::kernels
