// A regular expression of ICU's and what becomes of each of its finds.
#pragma once

#include <unicode/regex.h>
#include <unicode/unistr.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace penstock::speech {

/// A find: the text of its groups, and what surrounds it.
class Found {
 public:
  explicit Found(icu::RegexMatcher& matcher) : matcher_(matcher) {}
  /// Group 0 is the whole; "" for one that took no part.
  [[nodiscard]] std::string group(int number) const;
  [[nodiscard]] bool has(int number) const;
  /// The value of a group of decimal digits, at most nine of them.
  [[nodiscard]] int number(int number) const;
  /// Whether nothing stands behind it.
  [[nodiscard]] bool is_at_end() const;
  [[nodiscard]] bool is_before(char16_t c) const;

 private:
  icu::RegexMatcher& matcher_;
};

/// Immutable: any thread.
class Pattern {
 public:
  /// Throws Error(kInternal) for what is no pattern.
  explicit Pattern(const std::string& pattern, bool ignores_case = false);

  /// The text with make(found), UTF-8, in place of each find.
  [[nodiscard]] icu::UnicodeString replaced(
      const icu::UnicodeString& text,
      const std::function<std::string(const Found&)>& make) const;
  [[nodiscard]] bool matches(const icu::UnicodeString& text) const;
  /// Each find.
  [[nodiscard]] std::vector<icu::UnicodeString> all(
      const icu::UnicodeString& text) const;
  /// Calls take(begin, end, found) for each, in UTF-16 units.
  void each(const icu::UnicodeString& text,
            const std::function<void(int, int, const Found&)>& take) const;

 private:
  std::unique_ptr<icu::RegexPattern> pattern_;
};

/// A group of alternatives, the longest first, every character as it is.
[[nodiscard]] std::string any_of_words(std::vector<std::string> words);

[[nodiscard]] icu::UnicodeString unicode_of(std::u32string_view text);
[[nodiscard]] std::u32string points_of(const icu::UnicodeString& text);

}  // namespace penstock::speech
