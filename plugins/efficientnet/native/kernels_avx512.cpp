// The kernels for vectors of 64 bytes.
#include <cstdint>

namespace penstock::efficientnet::native {
namespace {
constexpr int kLanes = 16;
constexpr int kMostPixels = 14;
}  // namespace
}  // namespace penstock::efficientnet::native

#include "efficientnet/native/kernels.inl.h"

namespace penstock::efficientnet::native {
const Kernels kAvx512{"avx512", pointwise, depthwise};
}  // namespace penstock::efficientnet::native
