#include "pipeline_serve/api/openai/vectors.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>

#include "pipeline_serve/api/base64.h"

namespace penstock::serve {
namespace {

/// The double whose shortest spelling is the float's.
double widened(float number) {
  std::array<char, 32> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  double out = 0;
  (void)std::from_chars(text.data(), end, out);
  return out;
}

}  // namespace

std::vector<float> numbers_of(const std::string& json) {
  const auto list = OutJson::parse(json).at("embedding");
  std::vector<float> out;
  out.reserve(list.size());
  for (const auto& each : list) {
    out.push_back(static_cast<float>(each.get<double>()));
  }
  return out;
}

std::vector<float> cut_vector(std::vector<float> numbers, std::size_t size) {
  numbers.resize(size);
  double squares = 0;
  for (const double each : numbers) squares += each * each;
  if (squares == 0) return numbers;
  const double length = std::sqrt(squares);
  for (float& each : numbers) each = static_cast<float>(double{each} / length);
  return numbers;
}

OutJson number_list(const std::vector<float>& numbers) {
  OutJson out = OutJson::array();
  for (const float each : numbers) out.push_back(widened(each));
  return out;
}

std::string base64_of(const std::vector<float>& numbers) {
  std::string bytes;
  bytes.reserve(numbers.size() * sizeof(float));
  for (const float each : numbers) {
    const auto bits = std::bit_cast<std::uint32_t>(each);
    for (unsigned shift = 0; shift < 32; shift += 8) {
      bytes += static_cast<char>(bits >> shift & 0xFFU);
    }
  }
  return to_base64(bytes);
}

}  // namespace penstock::serve
