// A layer as Launches sees it; for its own sources.
#pragma once

#include "gemma/cuda/launches.h"

namespace penstock::gemma::cuda {

/// A layer, and where its keys and values are.
struct Launches::Layer {
  const DeviceLayer& weights;
  std::size_t kind;
  Cache cache;
  const float* rope;
  bool is_last;
};

}  // namespace penstock::gemma::cuda
