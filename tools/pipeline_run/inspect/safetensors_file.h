// Writes tensors as a safetensors file, which Python's
// `safetensors.numpy.load_file` reads, and reads one.
#pragma once

#include <filesystem>

#include "penstock/value.h"

namespace penstock::run {

/// What numpy has no dtype for, such as bf16, is stored as f32, or as it is.
enum class TensorTypes { kOfNumpy, kAll };

/// The file must not be there yet, and the names must differ. Throws
/// Error(kRetry).
void write_safetensors(const std::filesystem::path& path,
                       const Tensors& tensors,
                       TensorTypes types = TensorTypes::kOfNumpy);

/// Every tensor, by the file's order. Lengths, shapes and offsets are checked
/// before they are used: throws Error(kData) naming file and tensor, kNotFound
/// where the file cannot be read.
[[nodiscard]] Tensors read_safetensors(const std::filesystem::path& path);

}  // namespace penstock::run
