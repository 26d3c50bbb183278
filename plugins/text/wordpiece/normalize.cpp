#include "text/wordpiece/normalize.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "penstock/error.h"

namespace penstock::text {
namespace {

/// Those that Unicode 8 had in another category than ICU has them now.
constexpr std::array<std::pair<UChar32, UCharCategory>, 6> kMoved{
    {{0x166D, U_OTHER_PUNCTUATION},
     {0x1734, U_NON_SPACING_MARK},
     {0x1885, U_OTHER_LETTER},
     {0x1886, U_OTHER_LETTER},
     {0xA9BD, U_COMBINING_SPACING_MARK},
     {0x111C9, U_OTHER_PUNCTUATION}}};
constexpr std::uint8_t kUnicode = 8;

/// The category in Unicode 8; a character that came later has none.
std::uint32_t category_mask(UChar32 c) {
  for (const auto& [moved, category] : kMoved) {
    if (moved == c) return U_MASK(category);
  }
  UVersionInfo age{};
  u_charAge(c, &age[0]);
  const bool is_known =
      age[0] < kUnicode || (age[0] == kUnicode && age[1] == 0);
  return is_known ? U_GET_GC_MASK(c) : 0;
}

bool is_control(UChar32 c) {
  constexpr std::uint32_t kOther = U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK;
  if (c == '\t' || c == '\n' || c == '\r') return false;
  return (category_mask(c) & kOther) != 0;
}

bool is_blank(UChar32 c) { return u_isUWhiteSpace(c) != 0; }

bool is_punctuation(UChar32 c) {
  if (c < 0x80) return c > 0x20 && c < 0x7F && u_isalnum(c) == 0;
  return (category_mask(c) & U_GC_P_MASK) != 0;
}

/// As `tokenizers` lists them: between 2B820 and 2B920 it has a gap.
bool is_ideograph(UChar32 c) {
  static constexpr std::array<std::pair<UChar32, UChar32>, 8> kRanges{
      {{0x4E00, 0x9FFF},
       {0x3400, 0x4DBF},
       {0x20000, 0x2A6DF},
       {0x2A700, 0x2B73F},
       {0x2B740, 0x2B81F},
       {0x2B920, 0x2CEAF},
       {0xF900, 0xFAFF},
       {0x2F800, 0x2FA1F}}};
  return std::any_of(kRanges.begin(), kRanges.end(), [c](const auto& range) {
    return range.first <= c && c <= range.second;
  });
}

void append(std::string& out, UChar32 c) {
  std::array<char, U8_MAX_LENGTH> bytes{};
  std::size_t size = 0;
  // c is a character of well-formed text.
  U8_APPEND_UNSAFE(bytes.data(), size, c);
  out.append(bytes.data(), size);
}

/// The character that well-formed UTF-8 begins with, and its bytes.
std::pair<UChar32, std::size_t> first_of(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  UChar32 c = lead & (0x7F >> size);
  for (const char byte : text.substr(1, size - 1)) {
    c = c << 6 | (static_cast<unsigned char>(byte) & 0x3F);
  }
  return {c, std::min(size, text.size())};
}

/// Calls take(character, its bytes) for each of well-formed UTF-8.
template <class Take>
void each_character(std::string_view text, const Take& take) {
  while (!text.empty()) {
    const auto [c, size] = first_of(text);
    take(c, text.substr(0, size));
    text.remove_prefix(size);
  }
}

std::string cleaned(std::string_view text, const NormalRules& rules) {
  std::string out;
  out.reserve(text.size());
  each_character(text, [&](UChar32 c, std::string_view bytes) {
    if (rules.clean) {
      if (c == 0 || c == 0xFFFD || is_control(c)) return;
      if (is_blank(c)) bytes = " ";
    }
    const bool is_spaced = rules.space_cjk && is_ideograph(c);
    if (is_spaced) out += ' ';
    out += bytes;
    if (is_spaced) out += ' ';
  });
  return out;
}

std::string decomposed(const std::string& text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfd = icu::Normalizer2::getNFDInstance(status);
  std::string out;
  if (U_SUCCESS(status) != 0) {
    icu::StringByteSink<std::string> sink(
        &out, static_cast<std::int32_t>(text.size()));
    nfd->normalizeUTF8(0, text, sink, nullptr, status);
  }
  if (U_FAILURE(status) != 0) {
    throw Error(Code::kInternal,
                str("ICU cannot normalise the text: ", u_errorName(status)));
  }
  return out;
}

void append_lower(std::string& out, UChar32 c) {
  append(out, u_tolower(c));
  if (c == 0x130) append(out, 0x307);  // the only one that becomes two
}

}  // namespace

std::string normalized(std::string_view text, const NormalRules& rules) {
  std::string out = cleaned(text, rules);
  if (!rules.strip_accents && !rules.lower) return out;
  const std::string from = rules.strip_accents ? decomposed(out) : out;
  out.clear();
  each_character(from, [&](UChar32 c, std::string_view bytes) {
    if (rules.strip_accents && (category_mask(c) & U_GC_MN_MASK) != 0) return;
    if (rules.lower) {
      append_lower(out, c);
    } else {
      out += bytes;
    }
  });
  return out;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  const char* begin = text.data();  // of the word that grows
  const auto end_word = [&](const char* end) {
    if (end > begin) {
      words.emplace_back(begin, static_cast<std::size_t>(end - begin));
    }
  };
  each_character(text, [&](UChar32 c, std::string_view bytes) {
    const bool is_mark = is_punctuation(c);
    if (!is_mark && !is_blank(c)) return;
    end_word(bytes.data());
    if (is_mark) words.push_back(bytes);
    begin = bytes.data() + bytes.size();
  });
  end_word(text.data() + text.size());
  return words;
}

std::string_view without_end_blanks(std::string_view text) {
  std::size_t end = 0;
  each_character(text, [&](UChar32 c, std::string_view bytes) {
    if (!is_blank(c)) {
      end = static_cast<std::size_t>(bytes.data() - text.data()) + bytes.size();
    }
  });
  return text.substr(0, end);
}

}  // namespace penstock::text
