// Shared by the tests of kernels, which run at every instruction set that this
// processor has.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "lib/kernels/kernels.h"

namespace penstock::kernels {

/// AVX-VNNI's kernels in the encoding of AVX-512, for processors that have the
/// one and not the other; null without.
const Kernels* vnni_as_avx512();

inline constexpr const char* kAsAvx512 = "avxvnni as avx512";

class Levels : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    table_ = GetParam() == kAsAvx512 ? vnni_as_avx512() : find(GetParam());
    if (table_ == nullptr) {
      GTEST_SKIP() << "not run: this processor has no " << GetParam();
    }
  }
  const Kernels* table_ = nullptr;
};

/// Their names, for INSTANTIATE_TEST_SUITE_P.
inline std::vector<std::string> all_levels() {
  std::vector<std::string> all{kAsAvx512};
  for (const auto name : names()) all.emplace_back(name);
  return all;
}

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  float normal() { return normal_(engine_); }
  std::vector<float> normals(std::size_t n) {
    std::vector<float> out(n);
    for (float& x : out) x = normal();
    return out;
  }
  std::uint8_t byte() { return static_cast<std::uint8_t>(engine_()); }

 private:
  std::mt19937 engine_;
  std::normal_distribution<float> normal_;
};

}  // namespace penstock::kernels
