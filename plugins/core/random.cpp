#include "core/random.h"

namespace penstock::core {
namespace {

std::uint64_t mix(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15U;
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31U);
}

}  // namespace

double uniform(std::uint64_t seed, std::uint64_t branch,
               std::uint64_t position) {
  const std::uint64_t bits = mix(mix(mix(seed) ^ branch) ^ position);
  return static_cast<double>(bits >> 11U) * 0x1.0p-53;
}

}  // namespace penstock::core
