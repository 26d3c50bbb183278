// Python's two ways to put values into a text: '%s' % x and '{}'.format(x).
#include <algorithm>
#include <cmath>
#include <optional>

#include "gemma/jinja/builtins.h"
#include "gemma/jinja/format_spec.h"
#include "penstock/error.h"

namespace penstock::gemma::jinja {
namespace {

using format::fail;
using format::integer_digits;
using format::kMostPrecision;
using format::kMostWidth;
using format::number_text;
using format::padded;
using format::read_spec;
using format::Reader;
using format::Spec;
using format::with_spec;

/// One conversion of '%', its letter included.
Text converted(const Value& value, Spec spec, char letter) {
  constexpr std::string_view kReal = "eEfFgG";
  constexpr std::string_view kWhole = "diuxXo";
  spec.align = spec.align == 0 ? '>' : spec.align;
  if (letter == 's' || letter == 'r') {
    Spec plain = spec;
    if (plain.align == '=') plain.align = '>';
    plain.fill = " ";
    return with_spec(letter == 's' ? to_text(value) : repr(value), plain);
  }
  if (kReal.find(letter) != kReal.npos && is_number(value)) {
    spec.type = letter;
    return number_text(value, spec);
  }
  if (kWhole.find(letter) == kWhole.npos || !is_number(value)) {
    fail(str("'%", letter, "' does not suit ", kind(value)));
  }
  const bool is_decimal = letter == 'd' || letter == 'i' || letter == 'u';
  if (value.as<double>() != nullptr && !is_decimal) {
    fail(str("'%", letter, "' needs an integer"));
  }
  spec.type = is_decimal ? 'd' : letter;
  const auto rounded = value.as<double>() == nullptr
                           ? whole(value)
                           : static_cast<std::int64_t>(number(value));
  if (spec.precision) {
    const bool is_negative = rounded < 0;
    std::string digits = integer_digits(rounded, spec);
    const auto least = static_cast<std::size_t>(*spec.precision);
    if (digits.size() < least) digits.insert(0, least - digits.size(), '0');
    return padded(Text((is_negative ? "-" : "") + digits), spec, spec.align,
                  is_negative ? 1 : 0);
  }
  return number_text(rounded, spec);
}

/// Gives the values of '%' one after another.
class Values {
 public:
  explicit Values(const Value& values) : values_(values) {
    const auto* list = values.as<Listing>();
    if (list != nullptr && list->kind == ListKind::kTuple) list_ = list;
  }
  Value next() {
    if (list_ == nullptr && used_ == 0) return ++used_, values_;
    if (list_ == nullptr || used_ == list_->items->size()) {
      fail("there are fewer values than conversions");
    }
    return (*list_->items)[used_++];
  }
  Value named(const std::string& name) const {
    const Value* found = values_.map() == nullptr
                             ? nullptr
                             : find(*values_.map(), std::string_view(name));
    if (found == nullptr) fail(str("there is no value '", name, "'"));
    return *found;
  }
  void check_over() const {
    const bool is_over = list_ != nullptr
                             ? used_ == list_->items->size()
                             : used_ == 1 || values_.map() != nullptr ||
                                   values_.list() != nullptr;
    if (!is_over) fail("there are more values than conversions");
  }

 private:
  const Value& values_;
  const Listing* list_ = nullptr;
  std::size_t used_ = 0;
};

std::int64_t starred(const Value& value) {
  if (!is_whole(value) || std::abs(whole(value)) > kMostWidth) {
    fail("'*' needs an integer");
  }
  return whole(value);
}

Spec percent_spec(Reader& in, Values& values) {
  Spec spec;
  for (;;) {
    if (in.skip('-')) {
      spec.align = '<';
    } else if (in.skip('+')) {
      spec.sign = '+';
    } else if (in.skip(' ')) {
      spec.sign = spec.sign == '+' ? '+' : ' ';
    } else if (in.skip('#')) {
      spec.is_alternate = true;
    } else if (in.skip('0')) {
      if (spec.align != '<') {
        spec.align = '=';
        spec.fill = "0";
      }
    } else {
      break;
    }
  }
  if (spec.align == '<') spec.fill = " ";
  spec.width =
      in.skip('*') ? starred(values.next()) : in.number(kMostWidth).value_or(0);
  if (spec.width < 0) {
    spec.align = '<';
    spec.width = -spec.width;
  }
  if (in.skip('.')) {
    spec.precision = in.skip('*') ? starred(values.next())
                                  : in.number(kMostPrecision).value_or(0);
    spec.precision =
        std::clamp<std::int64_t>(*spec.precision, 0, kMostPrecision);
  }
  return spec;
}

}  // namespace

Text percent(const Text& format, const Value& given) {
  Values values(given);
  Text out;
  Reader in(format.bytes());
  std::size_t from = 0;
  while (!in.is_over()) {
    if (!in.skip('%')) {
      in.next();
      continue;
    }
    out += format.part(from, in.at() - 1 - from);
    if (in.skip('%')) {
      out += Text("%");
      from = in.at();
      continue;
    }
    std::optional<Value> named;
    if (in.skip('(')) {
      std::string name;
      while (in.peek() != ')' && !in.is_over()) name += in.next();
      if (!in.skip(')')) fail("a name has no ')'");
      named = values.named(name);
    }
    const Spec spec = percent_spec(in, values);
    if (in.is_over()) fail("a conversion is incomplete");
    const char letter = in.next();
    out += converted(named ? *named : values.next(), spec, letter);
    from = in.at();
  }
  values.check_over();
  return out += format.part(from);
}

namespace {

/// `0`, `name`, each with `.attribute` and `[item]` behind it.
Value field(const std::string& path, const Arguments& arguments,
            std::size_t& next) {
  const std::size_t end = std::min(path.find_first_of(".["), path.size());
  const std::string first = path.substr(0, end);
  const bool is_number = first.find_first_not_of("0123456789") == first.npos;
  Value out;
  if (is_number) {
    const std::size_t at =
        first.empty() ? next++ : Reader(first).number(99).value_or(0);
    if (at >= arguments.plain.size()) {
      fail(str("there is no value ", at));
    }
    out = arguments.plain[at];
  } else {
    const Value* found = find(arguments.named, first);
    if (found == nullptr) fail(str("there is no value '", first, "'"));
    out = *found;
  }
  for (std::size_t at = end; at < path.size();) {
    const bool is_item = path[at] == '[';
    const std::size_t to =
        is_item ? path.find(']', at)
                : std::min(path.find_first_of(".[", at + 1), path.size());
    if (to == path.npos) fail("a '[' has no ']'");
    const std::string name = path.substr(at + 1, to - at - 1);
    const auto index = Reader(name).number(kMostWidth);
    out = is_item && index ? member(out, *index) : member(out, text(name));
    if (out.is_undefined()) fail(str("there is no '", name, "'"));
    at = to + (is_item ? 1 : 0);
  }
  return out;
}

/// What stands between the braces, its own fields replaced.
Text replaced(std::string inside, const Arguments& arguments,
              std::size_t& next) {
  std::string spec;
  const std::size_t colon = inside.find(':');
  if (colon != inside.npos) {
    spec = inside.substr(colon + 1);
    inside.resize(colon);
  }
  char conversion = 0;
  const std::size_t mark = inside.find('!');
  if (mark != inside.npos) {
    conversion = mark + 2 == inside.size() ? inside.back() : '?';
    inside.resize(mark);
  }
  Value value = field(inside, arguments, next);
  if (conversion == 'r') value = repr(value);
  if (conversion == 's') value = to_text(value);
  if (conversion != 0 && conversion != 'r' && conversion != 's') {
    fail("a conversion is neither !r nor !s");
  }
  if (spec.find('{') != spec.npos) {
    const std::size_t open = spec.find('{');
    const std::size_t close = spec.find('}', open);
    if (close == spec.npos) fail("a '{' has no '}'");
    const Value inner =
        field(spec.substr(open + 1, close - open - 1), arguments, next);
    spec.replace(open, close - open + 1, to_text(inner).bytes());
  }
  return spec.empty() ? to_text(value) : with_spec(value, read_spec(spec));
}

/// Where the field that begins at `at` ends.
std::size_t field_end(const std::string& text, std::size_t at) {
  int depth = 0;
  for (std::size_t i = at; i < text.size(); ++i) {
    depth +=
        static_cast<int>(text[i] == '{') - static_cast<int>(text[i] == '}');
    if (depth == 0) return i;
  }
  fail("a '{' has no '}'");
}

}  // namespace

Text formatted(const Text& format, const Arguments& arguments) {
  const std::string& bytes = format.bytes();
  Text out;
  std::size_t next = 0;
  for (std::size_t i = 0; i < bytes.size();) {
    const char c = bytes[i];
    const bool is_brace = c == '{' || c == '}';
    if (!is_brace || (i + 1 < bytes.size() && bytes[i + 1] == c)) {
      out += format.part(i, 1);
      i += is_brace ? 2 : 1;
      continue;
    }
    if (c == '}') fail("a '}' has no '{'");
    const std::size_t end = field_end(bytes, i);
    out += replaced(bytes.substr(i + 1, end - i - 1), arguments, next);
    i = end + 1;
  }
  return out;
}

}  // namespace penstock::gemma::jinja
