// What positions are multiplied by to become the angles of the rotary position
// embedding; the engines that write it themselves share this.
#pragma once

#include <cmath>
#include <vector>

#include "gemma/config.h"

namespace penstock::gemma {

/// By pair of numbers, [head_dim / 2]; `base` is rope_base of layers that see
/// all tokens, with `scale` rope_scale, or rope_base_local with 1.
[[nodiscard]] inline std::vector<float> rope_frequencies(const Config& config,
                                                         double base,
                                                         double scale) {
  std::vector<float> out(static_cast<std::size_t>(config.head_dim / 2));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double exponent =
        2 * static_cast<double>(i) / static_cast<double>(config.head_dim);
    out[i] = static_cast<float>(1 / (std::pow(base, exponent) * scale));
  }
  return out;
}

}  // namespace penstock::gemma
