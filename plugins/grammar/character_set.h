// Characters that may come at a place of a grammar, and what it costs to
// prepare that place.
#pragma once

#include <bitset>
#include <cstdint>
#include <string_view>

namespace penstock::grammar {

/// ASCII, and at 128 whether there are others.
using CharacterSet = std::bitset<129>;

/// The length of the character or escape that `text` begins with; 1 at least.
[[nodiscard]] std::size_t unit_length(std::string_view text);
/// What a character or an escape outside of a class means in a regex.
[[nodiscard]] CharacterSet unit_set(std::string_view unit);
/// Of a class, without its brackets.
[[nodiscard]] CharacterSet class_set(std::string_view inner);

/// Each place of a grammar is prepared by a look at all tokens that may come
/// there: their share of a large vocabulary, in thousandths. Measured with the
/// 262,144 tokens of Gemma 3, where a thousand are 50 ms.
[[nodiscard]] std::int64_t place_cost(const CharacterSet& set);
/// That one request may ask for: 10 s, once.
inline constexpr std::int64_t kMostCost = 200'000;

}  // namespace penstock::grammar
