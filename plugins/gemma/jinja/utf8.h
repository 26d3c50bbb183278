// Characters of a text that is known to be UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace penstock::gemma::jinja {

/// Bytes of the character that begins with this one.
[[nodiscard]] std::size_t utf8_length(char byte);
/// The character that begins at `at`.
[[nodiscard]] char32_t code_point(std::string_view text, std::size_t at);
[[nodiscard]] std::string utf8(char32_t code);
/// Whether Python takes the character for white space.
[[nodiscard]] bool is_space(char32_t code);
/// Whether repr() writes it as it is.
[[nodiscard]] bool is_printable(char32_t code);

}  // namespace penstock::gemma::jinja
