// Tells a GGUF file from the other things people download by mistake.

#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace penstock::weights {

/// Throws Error(kData) unless `bytes` begin as a GGUF file does, saying what
/// they look like instead. `file` is for messages.
void check_magic(std::span<const std::byte> bytes, std::string_view file);

}  // namespace penstock::weights
