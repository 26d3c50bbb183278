#include "gemma/jinja/format_spec.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "gemma/jinja/builtins.h"
#include "penstock/error.h"

namespace penstock::gemma::jinja::format {
namespace {

bool is_align(char c) { return c != 0 && std::string("<>^=").find(c) < 4; }

Text times(const std::string& fill, std::int64_t count) {
  std::string out;
  for (std::int64_t i = 0; i < count; ++i) out += fill;
  return Text(out);
}

std::string in_base(std::uint64_t value, unsigned base) {
  std::array<char, 65> out{};
  const auto end = std::to_chars(out.data(), out.data() + out.size(), value,
                                 static_cast<int>(base));
  return {out.data(), end.ptr};
}

std::string grouped(std::string digits, char separator) {
  const std::size_t end =
      std::min(digits.find_first_not_of("0123456789"), digits.size());
  for (std::size_t i = end; i > 3;) {
    i -= 3;
    digits.insert(i, 1, separator);
  }
  return digits;
}

std::string real_digits(double value, const Spec& spec) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return "inf";
  const char type = spec.type == '%' ? 'f' : spec.type;
  if (spec.type == '%') value *= 100;
  if (type == 0 && !spec.precision) return to_text(value).bytes();
  const std::string form = std::string(spec.is_alternate ? "%#.*" : "%.*") +
                           (type == 0 ? 'g' : type);
  std::array<char, 512> out{};
  const int size =
      std::snprintf(out.data(), out.size(), form.c_str(),
                    static_cast<int>(spec.precision.value_or(6)), value);
  std::string digits(out.data(), static_cast<std::size_t>(size));
  if (type == 0 && digits.find_first_not_of("0123456789") == digits.npos) {
    digits += ".0";
  }
  return spec.type == '%' ? digits + "%" : digits;
}

}  // namespace

void fail(const std::string& problem) {
  throw Error(Code::kData, "format: " + problem);
}

std::string Reader::character() {
  const std::string out(text_.substr(at_, utf8_length(text_[at_])));
  at_ += out.size();
  return out;
}

std::optional<std::int64_t> Reader::number(std::int64_t most) {
  std::int64_t out = 0;
  const auto [end, error] =
      std::from_chars(text_.data() + at_, text_.data() + text_.size(), out);
  if (peek() == '-' || end == text_.data() + at_) return std::nullopt;
  if (error != std::errc() || out > most) {
    fail(str("a width or precision is above ", most));
  }
  at_ = static_cast<std::size_t>(end - text_.data());
  return out;
}

Spec read_spec(std::string_view text) {
  Spec spec;
  Reader in(text);
  if (!in.is_over()) {
    const auto size = utf8_length(in.peek());
    if (is_align(in.peek(size))) {
      spec.fill = in.character();
      spec.align = in.next();
    } else if (is_align(in.peek())) {
      spec.align = in.next();
    }
  }
  if (in.peek() == '+' || in.peek() == '-' || in.peek() == ' ') {
    spec.sign = in.next();
  }
  spec.is_alternate = in.skip('#');
  if (in.peek() == '0' && spec.align == 0) {
    spec.fill = "0";
    spec.align = '=';
  }
  spec.width = in.number(kMostWidth).value_or(0);
  if (in.peek() == ',' || in.peek() == '_') spec.thousands = in.next();
  if (in.skip('.')) {
    spec.precision = in.number(kMostPrecision);
    if (!spec.precision) fail("a precision is missing");
  }
  spec.type = in.next();
  if (!in.is_over()) fail(str("does not understand '", text, "'"));
  return spec;
}

Text padded(Text text, const Spec& spec, char align, std::size_t sign) {
  const std::int64_t lack = spec.width - length_of(text);
  if (lack <= 0) return text;
  const std::int64_t left = align == '<' ? 0 : align == '^' ? lack / 2 : lack;
  if (align == '=') {
    Text out = text.part(0, sign);
    out += times(spec.fill, lack);
    return out += text.part(sign);
  }
  Text out = times(spec.fill, left);
  out += text;
  return out += times(spec.fill, lack - left);
}

std::string integer_digits(std::int64_t value, const Spec& spec) {
  const auto size = value < 0
                        ? std::uint64_t{0} - static_cast<std::uint64_t>(value)
                        : static_cast<std::uint64_t>(value);
  const char type = spec.type;
  const unsigned base = type == 'x' || type == 'X' ? 16
                        : type == 'o'              ? 8
                        : type == 'b'              ? 2
                                                   : 10;
  std::string digits = in_base(size, base);
  if (type == 'X') {
    for (char& c : digits) c = c >= 'a' && c <= 'f' ? char(c - 32) : c;
  }
  if (spec.is_alternate && base != 10) {
    digits.insert(0, std::string("0") + type);
  }
  return digits;
}

Text number_text(const Value& value, Spec spec) {
  const bool is_real_type =
      spec.type != 0 && std::string("eEfFgG%").find(spec.type) < 7;
  const bool is_real = value.as<double>() != nullptr || is_real_type;
  const double real = number(value);
  const bool is_negative = is_real ? std::signbit(real) : whole(value) < 0;
  if (!is_real && spec.precision) fail("an integer has no precision");
  std::string digits = is_real ? real_digits(std::abs(real), spec)
                               : integer_digits(whole(value), spec);
  if (spec.thousands != 0) digits = grouped(digits, spec.thousands);
  const std::string sign = is_negative        ? "-"
                           : spec.sign == '-' ? ""
                                              : std::string(1, spec.sign);
  return padded(Text(sign + digits), spec, spec.align == 0 ? '>' : spec.align,
                sign.size());
}

Text with_spec(const Value& value, const Spec& spec) {
  const bool is_text = value.as<Text>() != nullptr;
  const bool is_plain_bool = value.as<bool>() != nullptr && spec.type == 0;
  constexpr std::string_view kInteger = "dxXobn";
  constexpr std::string_view kReal = "eEfFgGn%";
  if (is_number(value) && !is_plain_bool) {
    const bool is_real = value.as<double>() != nullptr;
    const bool is_known =
        spec.type == 0 || kReal.find(spec.type) != kReal.npos ||
        (!is_real && kInteger.find(spec.type) != kInteger.npos);
    if (!is_known) fail(str("'", spec.type, "' does not suit ", kind(value)));
    return number_text(value, spec);
  }
  if (spec.type != 0 && !(is_text && spec.type == 's')) {
    fail(str("'", spec.type, "' does not suit ", kind(value)));
  }
  Text text = to_text(value);
  if (spec.precision) {
    const auto at = text.characters();
    const auto count = static_cast<std::size_t>(*spec.precision);
    if (count + 1 < at.size()) text = text.part(0, at[count]);
  }
  return padded(std::move(text), spec, spec.align == 0 ? '<' : spec.align);
}

}  // namespace penstock::gemma::jinja::format
