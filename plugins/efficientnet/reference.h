// The network in ATen operations: for any device, and the oracle of native/.
#pragma once

#include "efficientnet/weights.h"

namespace penstock::efficientnet {

class Reference {
 public:
  Reference(Weights weights, Architecture architecture, at::Device device);

  /// f32[B,3,H,W] to logits f32[B,classes].
  [[nodiscard]] at::Tensor run(const at::Tensor& pixels) const;

 private:
  [[nodiscard]] at::Tensor apply(const Convolution& conv,
                                 const at::Tensor& in) const;

  Weights weights_;
  Architecture architecture_;
};

}  // namespace penstock::efficientnet
