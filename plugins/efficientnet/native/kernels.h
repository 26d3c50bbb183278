// The two loops that an EfficientNet spends its time in, once per instruction
// set. Activations are rows of pixels; a pixel is its channels one after the
// other, padded to a multiple of kPanel with zeros.
#pragma once

#include <cstdint>
#include <vector>

namespace penstock::efficientnet::native {

/// Channels that are computed together.
inline constexpr std::int64_t kPanel = 16;

[[nodiscard]] constexpr std::int64_t padded(std::int64_t channels) {
  return (channels + kPanel - 1) / kPanel * kPanel;
}

/// A 1x1 convolution: out[p] = in[p] * weight + bias for each pixel p.
struct Pointwise {
  const float* weight = nullptr;  ///< panels of [in][kPanel]
  const float* bias = nullptr;    ///< [out, padded]
  std::int64_t in = 0, out = 0;   ///< out: padded
  bool is_clamped = false;        ///< to 0..6
};

/// Layout of pixels: rows of `width` pixels, `row` floats from one row to the
/// next, `pixel` floats from one pixel to the next.
struct Place {
  float* data = nullptr;
  std::int64_t width = 0, row = 0, pixel = 0;
  [[nodiscard]] float* at(std::int64_t p) const {
    return data + p / width * row + p % width * pixel;
  }
};

/// A k x k filter of each channel over one row of output.
struct Depthwise {
  const float* weight = nullptr;  ///< [k * k][channels]
  const float* bias = nullptr;
  std::int64_t kernel = 3, stride = 1, channels = 0;  ///< channels: padded
};

struct Kernels {
  const char* name;
  /// Computes `pixels` pixels at `in`, `in_pixel` floats apart. `add` (or null)
  /// has the layout of a dense output and is added.
  void (*pointwise)(const Pointwise& op, const float* in, std::int64_t in_pixel,
                    std::int64_t pixels, const Place& out, const float* add);
  /// Filters the k input `rows`, which begin with their
  /// padding; clamps to 0..6.
  void (*depthwise)(const Depthwise& op, const float* const* rows, float* out,
                    std::int64_t width);
};

extern const Kernels kPortable;
#if defined(__x86_64__)
extern const Kernels kAvx2;
extern const Kernels kAvx512;
#endif

/// The best that kernels::may_use() allows: avxvnni of PENSTOCK_ISA means avx2
/// here. Throws as it does.
[[nodiscard]] const Kernels& kernels();
/// Every level that this CPU has; for tests.
[[nodiscard]] std::vector<const Kernels*> all_kernels();

}  // namespace penstock::efficientnet::native
