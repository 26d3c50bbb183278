// Shared by encoder and decoder: products, and attention over sound.
#pragma once

#include <algorithm>
#include <vector>

#include "lib/kernels/kernels.h"
#include "lib/kernels/share.h"
#include "lib/kernels/size.h"
#include "whisper/native/weights.h"

namespace penstock::whisper::native {

using kernels::ActivationRows;
using kernels::Share;

/// Numbers of a head, in Whisper of every size.
inline constexpr std::int64_t kHead = 64;
inline constexpr std::int64_t kChunk = 64;  ///< positions of a work item
inline constexpr float kEpsilon = 1e-5F;    ///< of norms

using kernels::size;

inline std::int64_t chunks(const Config& config) {
  return (config.positions + kChunk - 1) / kChunk;
}

/// x += y, for n numbers.
inline void add(const float* y, std::int64_t n, float* x) {
  kernels::best().scale_add(x, 1, y, 1, n);
}

/// y = rows by the whole matrix, plus the bias.
inline void project(const Linear& linear, ActivationRows& rows, std::int64_t n,
                    float* y) {
  const kernels::Panels& matrix = linear.matrix.panels();
  rows.multiply(matrix, 0, matrix.panels(), n, y);
  for (std::int64_t r = 0; r < n; ++r) {
    add(linear.bias.data(), matrix.rows, y + r * matrix.rows);
  }
}

/// Keys and values of a window's positions, for one layer.
class WindowKv {
 public:
  WindowKv() = default;
  WindowKv(const Config& config, PackedType kind);
  [[nodiscard]] static std::int64_t bytes(const Config& config,
                                          PackedType kind);

  /// Sets positions [64 chunk, 64 chunk + n) from rows of config.dim numbers
  /// that lie `stride` apart. Threads may set different chunks at once.
  void set(std::int64_t chunk, std::int64_t n, const float* keys,
           const float* values, std::int64_t stride);

  /// Memory for attend(), which allocates nothing; each thread has its own.
  struct Scratch {
    Scratch(const Config& config, PackedType kind);
    ActivationRows queries, weights;
    std::vector<float> scores, seen;
  };
  /// Attention of n queries of a head: scaled queries [n, 64] at `stride` to
  /// `out`, at the same stride.
  void attend(std::int64_t head, std::int64_t n, const float* queries,
              std::int64_t stride, float* out, Scratch& scratch) const;

 private:
  std::int64_t positions_ = 0, heads_ = 0;
  Matrix keys_;    ///< [heads * positions, 64]; heads begin a panel
  Matrix values_;  ///< [heads * 64, positions]
};

}  // namespace penstock::whisper::native
