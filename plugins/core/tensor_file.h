// Tensors as files that numpy and safetensors read.
#pragma once

#include <filesystem>
#include <string>

#include "penstock/value.h"

namespace penstock::core {

/// The name of a dtype as ports have it: "f32", "i64", "bool".
[[nodiscard]] std::string dtype_word(at::ScalarType dtype);

/// One array. bf16, which numpy has not, becomes f32. Throws Error(kRetry)
/// where it cannot be written, Error(kData) for a dtype that has no name.
void write_npy(const std::filesystem::path& path, const at::Tensor& tensor);

/// All of them in one file. Throws likewise.
void write_safetensors(const std::filesystem::path& path,
                       const Tensors& tensors);

}  // namespace penstock::core
