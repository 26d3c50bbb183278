#include "speech/english/characters.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace penstock::speech {
namespace {

std::uint32_t category_of(char32_t c) {
  return U_GET_GC_MASK(static_cast<UChar32>(c));
}

template <class Change>
std::u32string changed(std::u32string_view text, const Change& change) {
  std::u32string out(text);
  for (char32_t& c : out) {
    c = static_cast<char32_t>(change(static_cast<UChar32>(c)));
  }
  return out;
}

}  // namespace

std::u32string points_of(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = lead < 0x80   ? 1
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                                           : 4;
    char32_t c = size == 1 ? lead : lead & (0x7FU >> size);
    for (std::size_t k = 1; k < size && i + k < text.size(); ++k) {
      c = c << 6U | (static_cast<unsigned char>(text[i + k]) & 0x3FU);
    }
    out += c;
    i += size;
  }
  return out;
}

std::string utf8_of(std::u32string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char32_t c : text) {
    std::array<char, U8_MAX_LENGTH> bytes{};
    std::size_t size = 0;
    U8_APPEND_UNSAFE(bytes.data(), size, c);
    out.append(bytes.data(), size);
  }
  return out;
}

bool is_alpha(char32_t c) { return (category_of(c) & U_GC_L_MASK) != 0; }
bool is_decimal(char32_t c) { return (category_of(c) & U_GC_ND_MASK) != 0; }
bool is_letter(char32_t c) {
  constexpr std::uint32_t kLetters = U_GC_L_MASK | U_GC_NL_MASK | U_GC_NO_MASK;
  return (category_of(c) & kLetters) != 0;
}
bool is_blank(char32_t c) {
  return u_isUWhiteSpace(static_cast<UChar32>(c)) != 0;
}
bool is_upper(char32_t c) { return u_isUUppercase(static_cast<UChar32>(c)); }
bool is_lower(char32_t c) { return u_isULowercase(static_cast<UChar32>(c)); }

std::u32string lowered(std::u32string_view text) {
  return changed(text, u_tolower);
}
std::u32string raised(std::u32string_view text) {
  return changed(text, u_toupper);
}
std::u32string capitalized(std::u32string_view text) {
  std::u32string out = lowered(text);
  if (!out.empty()) out[0] = raised(text.substr(0, 1))[0];
  return out;
}
bool all_alpha(std::u32string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_alpha);
}
bool all_digits(std::u32string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_ascii_digit);
}

std::u32string plain(std::u32string_view text) {
  const bool is_ascii = std::all_of(text.begin(), text.end(),
                                    [](char32_t c) { return c < 0x80; });
  if (is_ascii) return std::u32string(text);
  UErrorCode status = U_ZERO_ERROR;
  const auto* forms = icu::Normalizer2::getNFKCInstance(status);
  std::u32string out(text);
  if (U_SUCCESS(status) != 0) {
    const auto made =
        forms->normalize(icu::UnicodeString::fromUTF32(
                             reinterpret_cast<const UChar32*>(text.data()),
                             static_cast<std::int32_t>(text.size())),
                         status);
    if (U_SUCCESS(status) != 0) {
      std::string bytes;
      made.toUTF8String(bytes);
      out = points_of(bytes);
    }
  }
  for (char32_t& c : out) {
    const auto value = u_charDigitValue(static_cast<UChar32>(c));
    if (value >= 0) c = U'0' + static_cast<char32_t>(value);
  }
  return out;
}

}  // namespace penstock::speech
