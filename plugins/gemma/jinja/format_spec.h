// How a value is laid out in a text: width, filling, sign, precision.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gemma/jinja/utf8.h"
#include "gemma/jinja/value.h"

namespace penstock::gemma::jinja::format {

inline constexpr std::int64_t kMostWidth = 100'000;
inline constexpr std::int64_t kMostPrecision = 100;

[[noreturn]] void fail(const std::string& problem);

/// [[fill]align][sign][#][0][width][,][.precision][type]
struct Spec {
  std::string fill = " ";
  char align = 0, sign = '-', type = 0;
  bool is_alternate = false;
  char thousands = 0;
  std::int64_t width = 0;
  std::optional<std::int64_t> precision;
};

/// Reads a text from its front.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}
  [[nodiscard]] bool is_over() const { return at_ >= text_.size(); }
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  char next() { return at_ < text_.size() ? text_[at_++] : '\0'; }
  bool skip(char c) {
    if (peek() != c || is_over()) return false;
    ++at_;
    return true;
  }
  std::string character();
  /// The digits that are next; nothing: there are none.
  std::optional<std::int64_t> number(std::int64_t most);
  [[nodiscard]] std::size_t at() const { return at_; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

/// What stands behind the ':' of a field.
[[nodiscard]] Spec read_spec(std::string_view text);
/// Digits of an integer without its sign.
[[nodiscard]] std::string integer_digits(std::int64_t value, const Spec& spec);
/// `sign`: how many characters stand before the filling where the alignment
/// is '='.
[[nodiscard]] Text padded(Text text, const Spec& spec, char align,
                          std::size_t sign = 0);
[[nodiscard]] Text number_text(const Value& value, Spec spec);
/// Any value.
[[nodiscard]] Text with_spec(const Value& value, const Spec& spec);

}  // namespace penstock::gemma::jinja::format
