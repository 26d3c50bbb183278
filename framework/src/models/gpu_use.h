// Whether a pipeline's Forward can compute on a GPU of this machine.
#pragma once

#include <string>

#include "penstock/gpus.h"
#include "penstock/pipeline_file.h"

namespace penstock {

/// Why it cannot, in a sentence without its end; "": it can. null: a Forward
/// that computes in ATen operations. Of several reasons the first: no driver,
/// no GPU, what the stage misses.
[[nodiscard]] std::string why_no_gpu(const StageConfig* forward,
                                     const Gpus& gpus, int index);

}  // namespace penstock
