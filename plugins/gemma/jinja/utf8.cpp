#include "gemma/jinja/utf8.h"

#include <algorithm>
#include <array>

namespace penstock::gemma::jinja {

std::size_t utf8_length(char byte) {
  const auto value = static_cast<unsigned char>(byte);
  if (value < 0x80) return 1;
  if (value < 0xE0) return 2;
  return value < 0xF0 ? 3 : 4;
}

char32_t code_point(std::string_view text, std::size_t at) {
  const std::size_t size = utf8_length(text[at]);
  constexpr std::array<unsigned, 4> kMasks{0x7F, 0x1F, 0x0F, 0x07};
  char32_t code = static_cast<unsigned char>(text[at]) & kMasks[size - 1];
  for (std::size_t i = 1; i < size && at + i < text.size(); ++i) {
    code = code << 6U | (static_cast<unsigned char>(text[at + i]) & 0x3FU);
  }
  return code;
}

std::string utf8(char32_t code) {
  const auto tail = [&](unsigned shift) {
    return static_cast<char>(0x80U | (code >> shift & 0x3FU));
  };
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) return {static_cast<char>(0xC0U | code >> 6U), tail(0)};
  if (code < 0x10000) {
    return {static_cast<char>(0xE0U | code >> 12U), tail(6), tail(0)};
  }
  return {static_cast<char>(0xF0U | code >> 18U), tail(12), tail(6), tail(0)};
}

bool is_space(char32_t code) {
  return (code >= 0x09 && code <= 0x0D) || (code >= 0x1C && code <= 0x20) ||
         code == 0x85 || code == 0xA0 || code == 0x1680 ||
         (code >= 0x2000 && code <= 0x200A) || code == 0x2028 ||
         code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

bool is_printable(char32_t code) {
  struct Range {
    char32_t first, last;
  };
  // Controls, marks of format, and what belongs to nobody.
  constexpr std::array<Range, 13> kHidden{{{0x00, 0x1F},
                                           {0x7F, 0xA0},
                                           {0xAD, 0xAD},
                                           {0x600, 0x605},
                                           {0x61C, 0x61C},
                                           {0x1680, 0x1680},
                                           {0x180E, 0x180E},
                                           {0x2000, 0x200F},
                                           {0x2028, 0x202F},
                                           {0x205F, 0x206F},
                                           {0x3000, 0x3000},
                                           {0xE000, 0xF8FF},
                                           {0xFEFF, 0xFEFF}}};
  return std::none_of(kHidden.begin(), kHidden.end(), [&](const Range& range) {
    return code >= range.first && code <= range.last;
  });
}

}  // namespace penstock::gemma::jinja
