// What may stand before, behind and within a word without being of it.
#pragma once

#include <cstddef>
#include <string_view>

namespace penstock::speech {

/// How many characters to peel off its beginning.
[[nodiscard]] std::size_t prefix_size(std::u32string_view text);
/// How many to peel off its end.
[[nodiscard]] std::size_t suffix_size(std::u32string_view text);
/// How many at `at` stand between two words, such as a hyphen.
[[nodiscard]] std::size_t infix_size(std::u32string_view text, std::size_t at);

}  // namespace penstock::speech
