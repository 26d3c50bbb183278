// Numbers as English words: 1234 is "one thousand, two hundred and
// thirty-four".
#pragma once

#include <cstdint>
#include <string>

namespace penstock::speech {

/// Of digits of ASCII, as many as there are; what is beyond names of powers is
/// read digit by digit.
[[nodiscard]] std::string cardinal(std::string digits);
/// "one hundred and first".
[[nodiscard]] std::string ordinal(const std::string& digits);
/// "nineteen oh-five", "twenty ten"; of four digits.
[[nodiscard]] std::string year(const std::string& digits);
/// Of digits with a dot among them: "three point one four"; zeros at the end
/// are not read.
[[nodiscard]] std::string decimal(const std::string& number);

[[nodiscard]] inline std::string cardinal(std::int64_t number) {
  return cardinal(std::to_string(number));
}
[[nodiscard]] inline std::string ordinal(std::int64_t number) {
  return ordinal(std::to_string(number));
}

}  // namespace penstock::speech
