// The safetensors format: bytes in, plain structs out. Knows nothing of files,
// mappings or libtorch, so it can be tested and fuzzed on any byte string.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/weights.h"

namespace penstock::weights {

/// A tensor of a type that no model here computes with, such as I64: it may
/// stand in a file, but nobody can ask for it.
struct OtherTensor {
  std::string name, type;
};

struct SafetensorsFile {
  std::vector<WeightTensor> tensors;  // in the order of their data
  std::vector<OtherTensor> others;
};

/// Whether `bytes` begin as a safetensors file does: a length that fits, then
/// a JSON object.
[[nodiscard]] bool looks_like_safetensors(std::span<const std::byte> bytes);

/// Parses a whole file. Every length, offset, shape and type is checked, so
/// the views in the result are safe to read. `file` is for messages. Throws
/// Error(kData).
[[nodiscard]] SafetensorsFile parse_safetensors(
    std::span<const std::byte> bytes, std::string_view file);

}  // namespace penstock::weights
