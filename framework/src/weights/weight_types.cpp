#include <functional>
#include <numeric>

#include "penstock/error.h"
#include "penstock/weights.h"

namespace penstock {

WeightBlock weight_block(WeightType type) {
  switch (type) {
    case WeightType::kF32:
      return {.elements = 1, .bytes = 4};
    case WeightType::kF16:
    case WeightType::kBF16:
      return {.elements = 1, .bytes = 2};
    case WeightType::kQ8_0:
      return {.elements = 32, .bytes = 34};
    case WeightType::kQ4_0:
    case WeightType::kIQ4_NL:
      return {.elements = 32, .bytes = 18};
    case WeightType::kQ4_1:
      return {.elements = 32, .bytes = 20};
    case WeightType::kQ5_0:
      return {.elements = 32, .bytes = 22};
    case WeightType::kQ5_1:
      return {.elements = 32, .bytes = 24};
    case WeightType::kQ2_K:
      return {.elements = 256, .bytes = 84};
    case WeightType::kQ3_K:
      return {.elements = 256, .bytes = 110};
    case WeightType::kQ4_K:
      return {.elements = 256, .bytes = 144};
    case WeightType::kQ5_K:
      return {.elements = 256, .bytes = 176};
    case WeightType::kQ6_K:
      return {.elements = 256, .bytes = 210};
  }
  throw Error(Code::kInternal, "a weight type that does not exist");
}

std::optional<WeightCoding> weight_coding(WeightType type) {
  switch (type) {
    case WeightType::kF32:
    case WeightType::kF16:
    case WeightType::kBF16:
      return std::nullopt;
    case WeightType::kQ8_0:
    case WeightType::kIQ4_NL:
      return WeightCoding{.bits = 8, .group = 32, .zero = 128};
    case WeightType::kQ4_0:
      return WeightCoding{.bits = 4, .group = 32, .zero = 8};
    case WeightType::kQ4_1:
      return WeightCoding{.bits = 4, .group = 32, .has_minimum = true};
    case WeightType::kQ5_0:
      return WeightCoding{.bits = 5, .group = 32, .zero = 16};
    case WeightType::kQ5_1:
      return WeightCoding{.bits = 5, .group = 32, .has_minimum = true};
    case WeightType::kQ2_K:
      return WeightCoding{
          .bits = 2, .group = 16, .has_minimum = true, .is_half = false};
    case WeightType::kQ3_K:
      return WeightCoding{.bits = 3, .group = 16, .zero = 4, .is_half = false};
    case WeightType::kQ4_K:
      return WeightCoding{
          .bits = 4, .group = 32, .has_minimum = true, .is_half = false};
    case WeightType::kQ5_K:
      return WeightCoding{
          .bits = 5, .group = 32, .has_minimum = true, .is_half = false};
    case WeightType::kQ6_K:
      return WeightCoding{.bits = 6, .group = 16, .zero = 32, .is_half = false};
  }
  throw Error(Code::kInternal, "a weight type that does not exist");
}

std::string_view to_string(WeightType type) {
  switch (type) {
    case WeightType::kF32:
      return "F32";
    case WeightType::kF16:
      return "F16";
    case WeightType::kBF16:
      return "BF16";
    case WeightType::kQ8_0:
      return "Q8_0";
    case WeightType::kQ4_0:
      return "Q4_0";
    case WeightType::kQ4_1:
      return "Q4_1";
    case WeightType::kQ5_0:
      return "Q5_0";
    case WeightType::kQ5_1:
      return "Q5_1";
    case WeightType::kQ2_K:
      return "Q2_K";
    case WeightType::kQ3_K:
      return "Q3_K";
    case WeightType::kQ4_K:
      return "Q4_K";
    case WeightType::kQ5_K:
      return "Q5_K";
    case WeightType::kQ6_K:
      return "Q6_K";
    case WeightType::kIQ4_NL:
      return "IQ4_NL";
  }
  return "unknown";
}

std::int64_t WeightTensor::columns() const {
  return shape.empty() ? 1 : shape.back();
}

std::int64_t WeightTensor::rows() const {
  if (shape.empty()) return 1;
  return std::accumulate(shape.begin(), shape.end() - 1, std::int64_t{1},
                         std::multiplies<>());
}

}  // namespace penstock
