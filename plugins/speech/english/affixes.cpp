#include "speech/english/affixes.h"

#include <algorithm>
#include <array>

#include "speech/english/characters.h"

namespace penstock::speech {
namespace {

using View = std::u32string_view;

constexpr View kMarks = U"…,:;!?¿¡()[]{}<>_#*&。？！，、；：～·";
constexpr View kQuotes = U"'\"”“`‘´’‚,„»«「」『』（）〔〕【】《》〈〉";
constexpr View kIcons = U"™®©°§¶†‡•";
constexpr View kBefore = U"§%=—–";
constexpr std::array<View, 23> kMoney{
    U"US$", U"C$", U"A$", U"$", U"£",   U"€",   U"¥",  U"฿",
    U"₽", U"₹",  U"₩",  U"₪", U"₺",   U"₴",   U"₦",  U"₫",
    U"₱",   U"₲",  U"₵",  U"₸", U"₼", U"₾", U"₿"};
constexpr std::array<View, 48> kMeasures{
    U"km²", U"km³",  U"dm²", U"dm³", U"cm²", U"cm³",  U"mm²", U"mm³",
    U"m/s", U"km/h", U"kmh", U"mph", U"hPa", U"mbar", U"km",  U"m²",
    U"m³",  U"dm",   U"cm",  U"mm",  U"ha",  U"µm",   U"nm",  U"yd",
    U"in",  U"ft",   U"kg",  U"mg",  U"µg",  U"lb",   U"oz",  U"Pa",
    U"mb",  U"MB",   U"kb",  U"KB",  U"gb",  U"GB",   U"tb",  U"TB",
    U"m",   U"g",    U"t",   U"T",   U"G",   U"M",    U"K",   U"%"};

bool is_one_of(View set, char32_t c) { return set.find(c) != set.npos; }
bool is_mark(char32_t c) {
  return is_one_of(kMarks, c) || is_one_of(kQuotes, c) || is_one_of(kIcons, c);
}
bool is_small(char32_t c) {
  return (c >= U'a' && c <= U'z') || (c >= U'ß' && c <= U'ÿ' && c != U'÷');
}
bool is_large(char32_t c) {
  return (c >= U'A' && c <= U'Z') || (c >= U'À' && c <= U'Þ' && c != U'×');
}
bool is_word_character(char32_t c) { return is_letter(c) || is_decimal(c); }

std::size_t count_of(View text, std::size_t at, char32_t c) {
  std::size_t size = 0;
  while (at + size < text.size() && text[at + size] == c) ++size;
  return size;
}

/// Of the words that end the text behind a digit, the longest.
template <class Words>
std::size_t behind_digit(View text, const Words& words) {
  std::size_t most = 0;
  for (const View word : words) {
    if (text.size() > word.size() && text.ends_with(word) &&
        is_ascii_digit(text[text.size() - word.size() - 1])) {
      most = std::max(most, word.size());
    }
  }
  return most;
}

/// A dot that ends a sentence and not a word.
bool is_full_stop(View text) {
  const std::size_t size = text.size();
  if (size < 2 || text.back() != U'.') return false;
  const char32_t last = text[size - 2];
  if (is_ascii_digit(last) || is_small(last) || is_one_of(U"%²-+", last) ||
      is_one_of(kMarks, last) || is_one_of(kQuotes, last)) {
    return true;
  }
  if (size < 3) return false;
  if (is_large(last) && is_large(text[size - 3])) return true;
  return text[size - 3] == U'°' && is_one_of(U"FfCcKk", last);
}

}  // namespace

std::size_t prefix_size(View text) {
  if (text.empty()) return 0;
  const char32_t first = text.front();
  if (is_one_of(kBefore, first) || is_one_of(kMarks, first)) return 1;
  if (first == U'+') {
    return text.size() > 1 && is_ascii_digit(text[1]) ? 0 : 1;
  }
  if (const std::size_t dots = count_of(text, 0, U'.'); dots > 1) return dots;
  if (is_mark(first)) return 1;
  for (const View sign : kMoney) {
    if (text.starts_with(sign)) return sign.size();
  }
  return 0;
}

std::size_t suffix_size(View text) {
  if (text.empty()) return 0;
  std::size_t most = 0;
  if (is_mark(text.back()) || is_one_of(U"—–", text.back())) most = 1;
  if (text.ends_with(U"……")) most = 2;
  for (const View own : {U"'s", U"'S", U"’s", U"’S"}) {
    if (text.ends_with(own)) most = 2;
  }
  if (is_full_stop(text)) most = 1;
  const auto dots = text.size() - (text.find_last_not_of(U'.') + 1);
  if (dots > 1) most = dots;
  if (text.size() > 1 && text.back() == U'+' &&
      is_ascii_digit(text[text.size() - 2])) {
    most = std::max<std::size_t>(most, 1);
  }
  most = std::max(most, behind_digit(text, kMoney));
  return std::max(most, behind_digit(text, kMeasures));
}

std::size_t infix_size(View text, std::size_t at) {
  const char32_t c = text[at];
  if (const std::size_t dots = count_of(text, at, U'.'); dots > 1) return dots;
  if (c == U'…' || is_one_of(kIcons, c)) return 1;
  if (at == 0 || at + 1 >= text.size()) return 0;
  const char32_t before = text[at - 1];
  const char32_t behind = text[at + 1];
  if (is_one_of(U"+-*^", c) && is_ascii_digit(before) &&
      (is_ascii_digit(behind) || behind == U'-')) {
    return 1;
  }
  if (c == U'.') {
    const bool ends = is_small(before) || is_one_of(kQuotes, before);
    return ends && (is_large(behind) || is_one_of(kQuotes, behind)) ? 1 : 0;
  }
  if (c == U',') return is_letter(before) && is_letter(behind) ? 1 : 0;
  if (!is_word_character(before)) return 0;
  if (is_one_of(U":<>=/", c)) return is_letter(behind) ? 1 : 0;
  std::size_t size = is_one_of(U"–~", c) ? 1 : 0;
  if (c == U'-') size = std::min<std::size_t>(count_of(text, at, c), 3);
  if (c == U'—') size = std::min<std::size_t>(count_of(text, at, c), 2);
  const bool is_between =
      size > 0 && at + size < text.size() && is_letter(text[at + size]);
  return is_between ? size : 0;
}

}  // namespace penstock::speech
