// torch: models that PyTorch saved, run by libtorch.
#include "penstock/plugin.h"

#include "torch/forward.h"

PENSTOCK_PLUGIN(torch, registry) {
  registry.add<penstock::pt2::TorchForward>("forward");
}
