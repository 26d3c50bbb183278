#include "gemma/jinja/letters.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "gemma/jinja/utf8.h"

namespace penstock::gemma::jinja {
namespace {

/// Letters from `first` to `last`, each or every second of them.
struct Run {
  char32_t first, last, step;
  std::int32_t distance;  ///< to what the letter becomes
};
/// What becomes several letters.
struct Several {
  char32_t letter;
  const char* text;
};
#include "gemma/jinja/letters.inl.h"

/// What a table says of a letter; nothing: not in it.
template <class Runs, class Specials>
std::optional<std::string> found(const Runs& runs, const Specials& specials,
                                 char32_t letter) {
  for (const Several& each : specials) {
    if (each.letter == letter) return each.text;
  }
  const auto* const run =
      std::lower_bound(std::begin(runs), std::end(runs), letter,
                       [](const Run& r, char32_t l) { return r.last < l; });
  const bool is_in = run != std::end(runs) && run->first <= letter &&
                     (letter - run->first) % run->step == 0;
  if (!is_in) return std::nullopt;
  return utf8(
      static_cast<char32_t>(static_cast<std::int32_t>(letter) + run->distance));
}

std::string upper_of(char32_t letter) {
  if (letter < 0x80) {
    return {static_cast<char>(letter >= 'a' && letter <= 'z' ? letter - 32
                                                             : letter)};
  }
  return found(kUpper, kUpperSeveral, letter).value_or(utf8(letter));
}

std::string lower_of(char32_t letter) {
  if (letter < 0x80) {
    return {static_cast<char>(letter >= 'A' && letter <= 'Z' ? letter + 32
                                                             : letter)};
  }
  return found(kLower, kLowerSeveral, letter).value_or(utf8(letter));
}

std::string title_of(char32_t letter) {
  return found(kTitle, kTitleSeveral, letter).value_or(upper_of(letter));
}

bool is_capital(char32_t letter) {
  return lower_of(letter) != utf8(letter) && upper_of(letter) == utf8(letter);
}
bool is_small(char32_t letter) { return upper_of(letter) != utf8(letter); }
bool has_case(char32_t letter) {
  return is_small(letter) || lower_of(letter) != utf8(letter);
}

/// A letter between its neighbours; 0: there is none.
struct Place {
  char32_t before, letter, after;
};

/// Each letter replaced by what `change` makes of it.
template <class Change>
Text changed(const Text& text, Change&& change) {
  const auto at = text.characters();
  const auto letter = [&](std::size_t i) {
    return i + 1 < at.size() ? code_point(text.bytes(), at[i]) : U'\0';
  };
  Text out;
  Place place{0, 0, letter(0)};
  for (std::size_t i = 0; i + 1 < at.size(); ++i) {
    place = {place.letter, place.after, letter(i + 1)};
    out += Text(change(place), text.is_content(at[i]));
  }
  return out;
}

/// A sigma that ends a word has a form of its own.
std::string lower_of(const Place& place) {
  const bool is_final = place.letter == U'\u03A3' && has_case(place.before) &&
                        !has_case(place.after);
  return is_final ? "\u03C2" : lower_of(place.letter);
}

}  // namespace

Text upper(const Text& text) {
  return changed(text, [](const Place& p) { return upper_of(p.letter); });
}

Text lower(const Text& text) {
  return changed(text, [](const Place& p) { return lower_of(p); });
}

Text capitalized(const Text& text) {
  bool is_first = true;
  return changed(text, [&](const Place& p) {
    return std::exchange(is_first, false) ? title_of(p.letter) : lower_of(p);
  });
}

Text titled(const Text& text) {
  return changed(text, [](const Place& p) {
    return has_case(p.before) ? lower_of(p) : title_of(p.letter);
  });
}

Text swapped(const Text& text) {
  return changed(text, [](const Place& p) {
    return is_small(p.letter) ? upper_of(p.letter) : lower_of(p);
  });
}

namespace {

bool all_are(const Text& text, bool (*is_other)(char32_t)) {
  const auto at = text.characters();
  bool has_any = false;
  for (std::size_t i = 0; i + 1 < at.size(); ++i) {
    const char32_t letter = code_point(text.bytes(), at[i]);
    if (is_other(letter)) return false;
    has_any |= has_case(letter);
  }
  return has_any;
}

}  // namespace

bool is_upper(const Text& text) { return all_are(text, is_small); }
bool is_lower(const Text& text) { return all_are(text, is_capital); }

}  // namespace penstock::gemma::jinja
