// The instruction sets that kernels are compiled for, and which of them this
// process uses: one choice for every plugin that has kernels of its own.
#pragma once

#include <span>
#include <string_view>

namespace penstock::kernels {

/// Best first, also those that the processor lacks: avx512bf16, avx512,
/// avxvnni, avx2 (where this build has them), portable.
[[nodiscard]] std::span<const std::string_view> instruction_sets();

/// Whether this processor has the instruction set of that name.
[[nodiscard]] bool can_run(std::string_view name);

/// Whether kernels of that name may be used: the processor has them, and they
/// are not better than what PENSTOCK_ISA names. Who looks at its kernels best
/// first takes the first that may. Throws Error(kUsage) when PENSTOCK_ISA names
/// what does not exist or the processor lacks.
[[nodiscard]] bool may_use(std::string_view name);

}  // namespace penstock::kernels
