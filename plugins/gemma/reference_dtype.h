// The number type of the reference engine.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include "gemma/engine.h"
#include "penstock/gpus.h"

namespace penstock::gemma {

/// Whether a card, which has an index or is the first, computes in bf16; one
/// that is not there does not.
[[nodiscard]] bool has_bf16(const Gpus& gpus, at::Device device);

/// Of `dtype`, where auto is bf16 if the device computes in it (a card as
/// `has_bf16` says, this CPU by itself) and else fp32.
[[nodiscard]] at::ScalarType reference_dtype(Dtype dtype, at::Device device,
                                             bool has_bf16);

}  // namespace penstock::gemma
