// The kernels for vectors of 16 bytes.
#include <cstdint>

namespace penstock::efficientnet::native {
namespace {
constexpr int kLanes = 4;
constexpr int kMostPixels = 2;
}  // namespace
}  // namespace penstock::efficientnet::native

#include "efficientnet/native/kernels.inl.h"

namespace penstock::efficientnet::native {
const Kernels kPortable{"portable", pointwise, depthwise};
}  // namespace penstock::efficientnet::native
