// The weights of an EfficientNet with every batch norm folded into the
// convolution before it: what both engines compute with.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "efficientnet/architecture.h"
#include "penstock/weights.h"

namespace penstock::efficientnet {

struct Convolution {
  at::Tensor weight;  ///< f32[out, in / groups, kernel, kernel]
  at::Tensor bias;    ///< f32[out]
  std::int64_t stride = 1, groups = 1;
  bool is_clamped = true;  ///< ReLU6 follows

  [[nodiscard]] std::int64_t kernel() const { return weight.size(2); }
};

struct BlockWeights {
  std::optional<Convolution> expand;
  Convolution depthwise, project;
  bool has_skip = false;
};

struct Weights {
  Convolution stem;
  std::vector<BlockWeights> blocks;
  Convolution head;
  at::Tensor classifier;  ///< f32[classes, head]
  at::Tensor bias;        ///< f32[classes]
};

/// Throws Error(kData) naming a tensor that is missing or has another shape.
[[nodiscard]] Weights load_weights(const WeightFile& file,
                                   const Architecture& architecture);

}  // namespace penstock::efficientnet
