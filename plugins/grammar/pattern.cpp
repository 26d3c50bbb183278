#include "grammar/pattern.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <utility>

#include "grammar/regex_check.h"
#include "penstock/error.h"

namespace penstock::grammar {
namespace {

constexpr std::string_view kNoSpace =
    R"([^\s\x1c-\x1f\u0085\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff])";

/// The character of \xHH or \uHHHH; nothing: it is none of them.
std::optional<unsigned long> numbered(std::string_view unit) {
  if (!unit.starts_with("\\x") && !unit.starts_with("\\u")) return {};
  std::string digits(unit.substr(2));
  if (digits.starts_with('{')) digits.erase(0, 1);
  return std::strtoul(digits.c_str(), nullptr, 16);
}

/// JSON writes these as escapes, which a pattern is not matched against.
bool is_escaped(std::string_view unit) {
  if (const auto value = numbered(unit)) {
    return *value < 0x20 || *value == '"' || *value == '\\';
  }
  static constexpr std::array<std::string_view, 9> kUnits{
      "\"",    R"(\")", R"(\\)", R"(\n)", R"(\r)",
      R"(\t)", R"(\f)", R"(\v)", R"(\0)"};
  const bool is_control = static_cast<unsigned char>(unit[0]) < 0x20;
  return is_control || unit.starts_with(R"(\c)") ||
         std::find(kUnits.begin(), kUnits.end(), unit) != kUnits.end();
}

/// Walks over a regex, a character or an escape at a time.
class Patterns {
 public:
  explicit Patterns(std::string_view regex) : regex_(regex) {}

  /// "": none; else what of the pattern cannot be held.
  [[nodiscard]] std::string fault() {
    while (at_ < regex_.size()) {
      const std::string found = regex_[at_] == '[' ? of_class() : of_one();
      if (!found.empty()) return found;
    }
    return "";
  }

 private:
  [[nodiscard]] std::string here(const std::string& what) const {
    return str(what, " at position ", at_);
  }
  /// The next character, or escape.
  [[nodiscard]] std::string_view unit() const {
    const std::string_view rest = regex_.substr(at_);
    if (rest[0] != '\\') return rest.substr(0, 1);
    if (rest.starts_with(R"(\u{)")) return rest.substr(0, rest.find('}') + 1);
    if (rest.starts_with(R"(\x)")) return rest.substr(0, 4);
    return rest.substr(0, rest.starts_with(R"(\u)") ? 6 : 2);
  }

  std::string of_one() {
    const std::string_view one = unit();
    if (is_escaped(one)) {
      return here("needs a quote, backslash or control character");
    }
    const bool is_start = at_ == 0 || (depth_ == 0 && regex_[at_ - 1] == '|');
    const bool is_end =
        at_ + 1 == regex_.size() || (depth_ == 0 && regex_[at_ + 1] == '|');
    if ((one == "^" && !is_start) || (one == "$" && !is_end)) {
      return here("has a '" + std::string(one) + "' inside");
    }
    if (one == "(" && regex_.substr(at_, 2) == "(?" &&
        regex_.substr(at_, 3) != "(?:") {
      return here("has a group of another kind than (?:...)");
    }
    if (one == "(") ++depth_;
    if (one == ")") --depth_;
    at_ += std::max<std::size_t>(one.size(), 1);
    return "";
  }

  std::string of_class() {
    const std::size_t begin = at_++;
    const bool is_negated = at_ < regex_.size() && regex_[at_] == '^';
    if (is_negated) ++at_;
    bool is_writable = is_negated;
    while (at_ < regex_.size() && regex_[at_] != ']') {
      const std::string_view one = unit();
      is_writable |= !is_escaped(one);
      at_ += std::max<std::size_t>(one.size(), 1);
    }
    if (!is_writable) {
      return here("needs a quote, backslash or control character");
    }
    if (at_ >= regex_.size()) return str("has no ']' for the '[' at ", begin);
    ++at_;
    return "";
  }

  std::string_view regex_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

/// The code point at the head of UTF-8 text beyond ASCII, and its bytes.
std::pair<std::uint32_t, std::size_t> code_point(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t count = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  std::uint32_t value = first & (0xFFU >> (count + 1));
  for (std::size_t i = 1; i < count; ++i) {
    value = value << 6U | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  return {value, count};
}

}  // namespace

void check_pattern_text(const std::string& pattern, const JsonView& place) {
  try {
    (void)check_regex(pattern, "pattern");
  } catch (const Error& error) {
    place.fail("is no usable " + error.text());
  }
  const std::string fault = Patterns(pattern).fault();
  if (!fault.empty()) place.fail(fault + ", which is not supported");
}

void check_pattern(const JsonView& pattern) {
  check_pattern_text(pattern.text(), pattern);
}

std::string plain_pattern(std::string_view pattern) {
  std::string out;
  bool is_in_class = false;
  for (std::size_t i = 0; i < pattern.size();) {
    const char c = pattern[i];
    if (static_cast<unsigned char>(c) >= 0x80) {
      const auto [value, count] = code_point(pattern.substr(i));
      std::array<char, 16> escape{};
      (void)std::snprintf(escape.data(), escape.size(), "\\u{%x}", value);
      out += escape.data();
      i += count;
      continue;
    }
    const std::size_t count = c == '\\' ? 2 : 1;
    const std::string_view unit = pattern.substr(i, count);
    out += unit == R"(\S)" && !is_in_class ? kNoSpace : unit;
    if (unit == "[") is_in_class = true;
    if (unit == "]") is_in_class = false;
    i += count;
  }
  return out;
}

}  // namespace penstock::grammar
