// The first half of a GGUF header: typed values under text keys.

#pragma once

#include <cstdint>
#include <vector>

#include "weights/byte_reader.h"
#include "weights/metadata.h"

namespace penstock::weights {

/// Reads `count` keys with their values from `reader`. Throws Error(kData).
[[nodiscard]] std::vector<MetadataEntry> read_gguf_metadata(
    ByteReader& reader, std::uint64_t count);

}  // namespace penstock::weights
