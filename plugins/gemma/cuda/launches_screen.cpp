// Launches: the head by a screen, where the model has its codes.
#include "gemma/cuda/launches.h"

namespace penstock::gemma::cuda {

bool Launches::is_screened(const HeadWants& wants) const {
  return model_.screen().codes != nullptr && !wants.whole && !wants.norm;
}

void Launches::screen(const HeadParams& head) const {
  static_assert(kLows <= 2, "a block's sums, which nobody wants, have two");
  const ScreenedParams params{.head = head,
                              .codes = model_.screen(),
                              .reach = buffers_.scores.as<float>(),
                              .lows = buffers_.sums.as<float>()};
  launch(kernels_.screen, screen_geometry(params), params);
  launch(kernels_.refine, refine_geometry(params), params);
}

}  // namespace penstock::gemma::cuda
