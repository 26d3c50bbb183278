#include "speech/english/pattern.h"

#include <unicode/uchar.h>

#include <algorithm>

#include "penstock/error.h"
#include "speech/english/characters.h"

namespace penstock::speech {
namespace {

void check_regex(UErrorCode status) {
  if (U_SUCCESS(status) != 0) return;
  throw Error(Code::kInternal,
              str("a pattern of the text rules: ", u_errorName(status)));
}

std::string utf8_bytes(const icu::UnicodeString& text) {
  std::string out;
  return text.toUTF8String(out);
}

}  // namespace

std::string Found::group(int number) const {
  UErrorCode status = U_ZERO_ERROR;
  const auto text = matcher_.group(number, status);
  check_regex(status);
  return utf8_bytes(text);
}

bool Found::has(int number) const {
  UErrorCode status = U_ZERO_ERROR;
  return matcher_.start(number, status) >= 0;
}

int Found::number(int number) const {
  int out = 0;
  for (const char32_t c : speech::points_of(group(number))) {
    out = out * 10 + u_charDigitValue(static_cast<UChar32>(c));
  }
  return out;
}

bool Found::is_at_end() const {
  UErrorCode status = U_ZERO_ERROR;
  return matcher_.end(status) == matcher_.input().length();
}

bool Found::is_before(char16_t c) const {
  UErrorCode status = U_ZERO_ERROR;
  return !is_at_end() && matcher_.input().charAt(matcher_.end(status)) == c;
}

Pattern::Pattern(const std::string& pattern, bool ignores_case) {
  UErrorCode status = U_ZERO_ERROR;
  UParseError place{};
  pattern_.reset(icu::RegexPattern::compile(
      icu::UnicodeString::fromUTF8(pattern),
      ignores_case ? std::uint32_t{UREGEX_CASE_INSENSITIVE} : 0U, place,
      status));
  if (U_SUCCESS(status) == 0) {
    throw Error(Code::kInternal, str("'", pattern, "': ", u_errorName(status),
                                     " at ", place.offset));
  }
}

void Pattern::each(
    const icu::UnicodeString& text,
    const std::function<void(int, int, const Found&)>& take) const {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<icu::RegexMatcher> matcher(
      pattern_->matcher(text, status));
  check_regex(status);
  const Found found(*matcher);
  while (matcher->find(status) != 0) {
    const int begin = matcher->start(status);
    const int end = matcher->end(status);
    check_regex(status);
    take(begin, end, found);
  }
  check_regex(status);
}

icu::UnicodeString Pattern::replaced(
    const icu::UnicodeString& text,
    const std::function<std::string(const Found&)>& make) const {
  icu::UnicodeString out;
  int done = 0;
  each(text, [&](int begin, int end, const Found& found) {
    out.append(text, done, begin - done);
    out.append(icu::UnicodeString::fromUTF8(make(found)));
    done = end;
  });
  if (done == 0 && out.isEmpty()) return text;
  return out.append(text, done, text.length() - done);
}

bool Pattern::matches(const icu::UnicodeString& text) const {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<icu::RegexMatcher> matcher(
      pattern_->matcher(text, status));
  check_regex(status);
  const bool is_found = matcher->find(status) != 0;
  check_regex(status);
  return is_found;
}

std::vector<icu::UnicodeString> Pattern::all(
    const icu::UnicodeString& text) const {
  std::vector<icu::UnicodeString> out;
  each(text, [&](int begin, int end, const Found& /*found*/) {
    out.emplace_back(text, begin, end - begin);
  });
  return out;
}

std::string any_of_words(std::vector<std::string> words) {
  std::stable_sort(words.begin(), words.end(),
                   [](const std::string& a, const std::string& b) {
                     return speech::points_of(a).size() >
                            speech::points_of(b).size();
                   });
  std::string out = "(?:";
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += '|';
    for (const char c : words[i]) {
      const bool is_plain = (static_cast<unsigned char>(c) & 0x80U) != 0 ||
                            std::isalnum(static_cast<unsigned char>(c)) != 0;
      if (!is_plain) out += '\\';
      out += c;
    }
  }
  return out + ")";
}

icu::UnicodeString unicode_of(std::u32string_view text) {
  return icu::UnicodeString::fromUTF32(
      reinterpret_cast<const UChar32*>(text.data()),
      static_cast<std::int32_t>(text.size()));
}

std::u32string points_of(const icu::UnicodeString& text) {
  return points_of(utf8_bytes(text));
}

}  // namespace penstock::speech
