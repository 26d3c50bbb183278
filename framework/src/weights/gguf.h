// The GGUF format: bytes in, plain structs out. Knows nothing of files,
// mappings or libtorch, so it can be tested and fuzzed on any byte string.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "penstock/weights.h"
#include "weights/metadata.h"

namespace penstock::weights {

inline constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;
inline constexpr std::uint64_t kMaxTensors = 65'536;
inline constexpr std::uint64_t kMaxKeys = 65'536;
inline constexpr std::uint64_t kMaxNameBytes = 512;
inline constexpr std::uint32_t kMaxRank = 4;  // what ggml can hold
inline constexpr std::uint64_t kMaxAlignment = 1U << 20U;
inline constexpr int kMaxArrayDepth = 4;

struct GgufFile {
  std::uint32_t version = 0;
  std::uint64_t alignment = 0;
  std::vector<MetadataEntry> metadata;  // views into the bytes parsed
  std::vector<WeightTensor> tensors;    // in the order of the file
};

/// Parses a whole file. Every length, count, offset and type is checked, so
/// the views in the result are safe to read. `file` is for messages. Throws
/// Error(kData).
[[nodiscard]] GgufFile parse_gguf(std::span<const std::byte> bytes,
                                  std::string_view file);

}  // namespace penstock::weights
