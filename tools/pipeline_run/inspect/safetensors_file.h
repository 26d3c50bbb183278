// Writes tensors as a safetensors file: what Python's
// `safetensors.numpy.load_file` reads.
#pragma once

#include <filesystem>

#include "penstock/value.h"

namespace penstock::run {

/// The file must not be there yet, and the names must differ. What numpy has no
/// dtype for, such as bf16, is stored as f32. Throws Error(kRetry).
void write_safetensors(const std::filesystem::path& path,
                       const Tensors& tensors);

}  // namespace penstock::run
