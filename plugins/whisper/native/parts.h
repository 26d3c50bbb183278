// What the encoder and the decoder do alike: products, and attention over
// sound.
#pragma once

#include <algorithm>
#include <vector>

#include "lib/kernels/kernels.h"
#include "lib/kernels/share.h"
#include "whisper/native/weights.h"

namespace penstock::whisper::native {

using kernels::ActivationRows;
using kernels::Share;

/// Numbers of a head; Whisper of every size has so many.
inline constexpr std::int64_t kHead = 64;
inline constexpr std::int64_t kChunk = 64;  ///< positions of a work item
inline constexpr float kEpsilon = 1e-5F;    ///< of norms

inline std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

inline std::int64_t chunks(const Config& config) {
  return (config.positions + kChunk - 1) / kChunk;
}

/// x += y, n numbers.
inline void add(const float* y, std::int64_t n, float* x) {
  kernels::best().scale_add(x, 1, y, 1, n);
}

/// All of y = rows by the matrix, plus the bias.
inline void project(const Linear& linear, ActivationRows& rows, std::int64_t n,
                    float* y) {
  const kernels::Panels& matrix = linear.matrix.panels();
  rows.multiply(matrix, 0, matrix.panels(), n, y);
  for (std::int64_t r = 0; r < n; ++r) {
    add(linear.bias.data(), matrix.rows, y + r * matrix.rows);
  }
}

/// Keys and values of the positions of a window, one layer.
class WindowKv {
 public:
  WindowKv() = default;
  WindowKv(const Config& config, PackedType kind);
  [[nodiscard]] static std::int64_t bytes(const Config& config,
                                          PackedType kind);

  /// Positions [64 chunk, 64 chunk + n); rows of `stride` numbers, of which
  /// config.dim each. Threads may write different chunks at once.
  void set(std::int64_t chunk, std::int64_t n, const float* keys,
           const float* values, std::int64_t stride);

  /// Memory for attend(), one a thread; that does not allocate.
  struct Scratch {
    Scratch(const Config& config, PackedType kind);
    ActivationRows queries, weights;
    std::vector<float> scores, seen;
  };
  /// What n queries of a head see: scaled queries [n, 64] at `stride` to `out`,
  /// at the same stride.
  void attend(std::int64_t head, std::int64_t n, const float* queries,
              std::int64_t stride, float* out, Scratch& scratch) const;

 private:
  std::int64_t positions_ = 0, heads_ = 0;
  Matrix keys_;    ///< [heads * positions, 64], a head from a panel on
  Matrix values_;  ///< [heads * 64, positions]
};

}  // namespace penstock::whisper::native
