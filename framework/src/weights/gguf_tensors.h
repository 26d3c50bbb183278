// The second half of a GGUF header: names, shapes and types of the tensors,
// and where their data lies.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "penstock/weights.h"
#include "weights/byte_reader.h"

namespace penstock::weights {

/// Reads `count` tensor descriptions from `reader` and places each in `bytes`
/// (the whole file), whose data section begins at the next multiple of
/// `alignment`. Throws Error(kData).
[[nodiscard]] std::vector<WeightTensor> read_gguf_tensors(
    ByteReader& reader, std::span<const std::byte> bytes, std::uint64_t count,
    std::uint64_t alignment);

}  // namespace penstock::weights
