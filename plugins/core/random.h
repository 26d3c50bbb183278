// Random numbers as a function of where they are used: the same seed, branch
// and position give the same number, whatever else runs in the batch.
#pragma once

#include <cstdint>

namespace penstock::core {

/// Uniform in [0, 1), with 53 random bits. SplitMix64 (Steele, Lea and Flood,
/// OOPSLA 2014) as a hash of the three, one round each.
[[nodiscard]] double uniform(std::uint64_t seed, std::uint64_t branch,
                             std::uint64_t position);

}  // namespace penstock::core
