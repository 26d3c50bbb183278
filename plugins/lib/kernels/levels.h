// Kernel tables of the instruction sets in this build.
#pragma once

#include "lib/kernels/kernels.h"

namespace penstock::kernels {

const Kernels& portable_kernels();
#if defined(__x86_64__)
const Kernels& avx2_kernels();
const Kernels& avxvnni_kernels();
const Kernels& avx512_kernels();
const Kernels& avx512bf16_kernels();
#endif

}  // namespace penstock::kernels
