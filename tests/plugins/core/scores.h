// The scores of the sampling goldens: an integer hash of (seed, id), the same
// code as scores_of() in tests/golden/make_sampling.py.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

namespace penstock::core {

inline constexpr std::int64_t kVocabulary = 262144;

/// SplitMix64's step.
inline std::uint64_t mixed(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31U);
}

/// Leading zeros of the hash, plus 16 of its bits as a fraction, minus 8.
inline float score_of(std::uint64_t seed, std::uint64_t id) {
  const std::uint64_t hash = mixed(mixed(seed) ^ id);
  const double fraction = static_cast<double>(hash & 0xFFFFU) / 65536;
  return static_cast<float>(std::countl_zero(hash) + fraction - 8);
}

inline std::vector<float> scores_of(std::uint64_t seed) {
  std::vector<float> out;
  for (std::int64_t id = 0; id < kVocabulary; ++id) {
    out.push_back(score_of(seed, static_cast<std::uint64_t>(id)));
  }
  return out;
}

}  // namespace penstock::core
