// The tokens of the echo model: bytes, and one that ends an answer.
#pragma once

#include <cstdint>

namespace penstock::echo {

inline constexpr std::int64_t kEnd = 256;
inline constexpr std::int64_t kTokens = 257;

}  // namespace penstock::echo
