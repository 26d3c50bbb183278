// Texts as code points, and what each of them is: the rules of a language look
// at characters, not at bytes.
#pragma once

#include <string>
#include <string_view>

namespace penstock::speech {

/// Of well-formed UTF-8.
[[nodiscard]] std::u32string points_of(std::string_view text);
[[nodiscard]] std::string utf8_of(std::u32string_view text);

[[nodiscard]] bool is_alpha(char32_t c);
/// 0 to 9 of any script.
[[nodiscard]] bool is_decimal(char32_t c);
/// A letter, or a number that is no decimal digit such as ².
[[nodiscard]] bool is_letter(char32_t c);
[[nodiscard]] bool is_blank(char32_t c);
[[nodiscard]] bool is_upper(char32_t c);
[[nodiscard]] bool is_lower(char32_t c);
/// 0 to 9, those of ASCII alone.
[[nodiscard]] constexpr bool is_ascii_digit(char32_t c) {
  return c >= U'0' && c <= U'9';
}

[[nodiscard]] std::u32string lowered(std::u32string_view text);
[[nodiscard]] std::u32string raised(std::u32string_view text);
/// The first letter large, the others small.
[[nodiscard]] std::u32string capitalized(std::u32string_view text);
/// Whether there are characters, all of them letters.
[[nodiscard]] bool all_alpha(std::u32string_view text);
/// Whether there are characters, all of them 0 to 9 of ASCII.
[[nodiscard]] bool all_digits(std::u32string_view text);

/// Compatibility forms as what they stand for, and digits of other scripts as
/// those of ASCII.
[[nodiscard]] std::u32string plain(std::u32string_view text);

}  // namespace penstock::speech
