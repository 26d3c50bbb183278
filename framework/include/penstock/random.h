// Random numbers as a function of where they are used: the same seed and place
// give the same number, whatever else runs in the batch.
#pragma once

#include <cstdint>

namespace penstock {

/// One step of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): a hash of 64
/// bits.
[[nodiscard]] constexpr std::uint64_t splitmix64(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15U;
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31U);
}

/// Uniform in [0, 1), with 53 random bits: a hash of the seed, then of each
/// number that says where it is used.
template <class... Places>
[[nodiscard]] constexpr double uniform(std::uint64_t seed, Places... places) {
  std::uint64_t bits = splitmix64(seed);
  ((bits = splitmix64(bits ^ static_cast<std::uint64_t>(places))), ...);
  return static_cast<double>(bits >> 11U) * 0x1.0p-53;
}

}  // namespace penstock
