// DeviceApi of an NVIDIA card, by the CUDA runtime. Compiled into the CUDA
// libraries of plugins only.
#pragma once

#include <memory>
#include <span>

#include "lib/gpu/device_api.h"

namespace penstock::gpu {

/// Card `index` of those that the runtime sees, with these kernels loaded: CUDA
/// would else load each when it is first launched, which may be while a graph
/// is captured; but for those that the driver cannot launch
/// (why_not_launched()). Throws Error(kUnavailable) where there is no driver,
/// no such card, or none of the code is for it.
[[nodiscard]] std::unique_ptr<DeviceApi> open_cudart(
    int index, std::span<const Kernel* const> kernels);

}  // namespace penstock::gpu
