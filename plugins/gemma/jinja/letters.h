// Capital and small letters of Unicode, as Python's str has them.
#pragma once

#include "gemma/jinja/text.h"

namespace penstock::gemma::jinja {

[[nodiscard]] Text upper(const Text& text);
[[nodiscard]] Text lower(const Text& text);
/// The first letter large, the others small.
[[nodiscard]] Text capitalized(const Text& text);
/// Of each word; words are what stands between characters without case.
[[nodiscard]] Text titled(const Text& text);
[[nodiscard]] Text swapped(const Text& text);
/// Whether it has letters with a case, and all of them are capital ones, or
/// small ones.
[[nodiscard]] bool is_upper(const Text& text);
[[nodiscard]] bool is_lower(const Text& text);

}  // namespace penstock::gemma::jinja
