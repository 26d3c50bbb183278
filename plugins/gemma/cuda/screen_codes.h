// The head's weights as bytes with a scale a row, which say what a score is to
// within a bound: what `screen` reads (kernels.h has how they lie).
//
// Of a row w of weights, its codes' s q and a hidden state h with codes t H,
// all in exact numbers,
//   w h - (s q)(t H) = (w - s q) h + (s q)(h - t H)
// of which Cauchy and Schwarz bound the first part by |w - s q| |h|, and the
// second, as H is h / t to a half and t is max |h| / kMostCode, by
// |s q| |h| sqrt(n) / (2 kMostCode). What floats round, of the score as `head`
// sums it too, is some 2^-24 of |w| |h| for each number that follows another.
#pragma once

#include <cstddef>
#include <cstdint>

#include "gemma/cuda/kernels.h"
#include "penstock/weights.h"

namespace penstock::gemma::cuda {

inline constexpr std::int64_t kPanelRows = 32;  ///< a lane's each

struct ScreenPlan {
  std::int64_t rows = 0, columns = 0;  ///< columns: a multiple of 16

  [[nodiscard]] std::int64_t panels() const;
  [[nodiscard]] std::int64_t panel_bytes() const {
    return kPanelRows * columns;
  }
  // From the beginning, in bytes.
  [[nodiscard]] std::int64_t scales_at() const;
  [[nodiscard]] std::int64_t bounds_at() const;
  [[nodiscard]] std::int64_t bytes() const;

  /// Those that begin at `begin`, of the device.
  [[nodiscard]] ScreenCodes codes(const std::byte* begin, float longest) const;
};

/// Where some panels go.
struct ScreenedPanels {
  std::byte* codes = nullptr;
  float* scales = nullptr;
  float* bounds = nullptr;
};

/// Writes panels [begin, end) of `from` as bf16 has it; returns the length of
/// the longest row. Threads may take different panels. Throws as dequantize().
float screen_panels(const ScreenPlan& plan, const WeightTensor& from,
                    std::int64_t begin, std::int64_t end,
                    const ScreenedPanels& to);

}  // namespace penstock::gemma::cuda
