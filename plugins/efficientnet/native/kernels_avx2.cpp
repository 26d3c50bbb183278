// The kernels for vectors of 32 bytes.
#include <cstdint>

namespace penstock::efficientnet::native {
namespace {
constexpr int kLanes = 8;
constexpr int kMostPixels = 6;
}  // namespace
}  // namespace penstock::efficientnet::native

#include "efficientnet/native/kernels.inl.h"

namespace penstock::efficientnet::native {
const Kernels kAvx2{"avx2", pointwise, depthwise};
}  // namespace penstock::efficientnet::native
