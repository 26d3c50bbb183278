// `x | NAME`: the table, and what is about one text or number.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <utility>

#include "gemma/jinja/filters.h"
#include "gemma/jinja/letters.h"
#include "gemma/jinja/utf8.h"
#include "penstock/error.h"

namespace penstock::gemma::jinja {
namespace {

using V = const Value&;
using A = const Arguments&;

/// jinja2's own: words begin after white space and -({[<
Value title(V value, A) {
  const Text text = to_text(value);
  const auto at = text.characters();
  Text out;
  bool is_start = true;
  for (std::size_t i = 0; i + 1 < at.size(); ++i) {
    const Text letter = text.part(at[i], at[i + 1] - at[i]);
    const char32_t code = code_point(letter.bytes(), 0);
    out += is_start ? upper(letter) : lower(letter);
    is_start =
        is_space(code) ||
        (code < 0x80 && std::string("-({[<").find(static_cast<char>(code)) !=
                            std::string::npos);
  }
  return out;
}

Value default_of(V value, A arguments) {
  const Value* other = argument(arguments, 0, "default_value");
  const bool is_falsy = truth(arguments, 1, "boolean", false);
  if (!value.is_undefined() && !(is_falsy && !is_true(value))) return value;
  return other == nullptr ? text("") : *other;
}

/// A number as Python's int() and float() read it, without their '_'.
std::string digits_of(const Text& text) {
  std::string out = text.stripped(true, true).bytes();
  for (std::size_t i = 1; i + 1 < out.size();) {
    const bool is_between = out[i] == '_' && std::isalnum(out[i - 1]) != 0 &&
                            std::isalnum(out[i + 1]) != 0;
    if (is_between) out.erase(i, 1);
    i += is_between ? 0 : 1;
  }
  if (!out.empty() && out[0] == '+') out.erase(0, 1);
  return out;
}

template <class T, class... How>
bool read(const std::string& digits, T& out, How... how) {
  const auto [end, error] = std::from_chars(
      digits.data(), digits.data() + digits.size(), out, how...);
  return error == std::errc() && end == digits.data() + digits.size();
}

Value to_float(V value, A arguments) {
  const Value* other = argument(arguments, 0, "default");
  if (is_number(value)) return number(value);
  double out = 0;
  const auto* text = value.as<Text>();
  if (text != nullptr && read(digits_of(*text), out)) return out;
  return other == nullptr ? Value(0.0) : *other;
}

/// A prefix such as 0x goes with its base.
std::string without_prefix(std::string digits, std::int64_t base) {
  const std::size_t at = !digits.empty() && digits[0] == '-' ? 1 : 0;
  const char letter = base == 16 ? 'x' : base == 8 ? 'o' : base == 2 ? 'b' : 0;
  const bool has_prefix = letter != 0 && digits.size() > at + 1 &&
                          digits[at] == '0' && (digits[at + 1] | 32) == letter;
  if (has_prefix) digits.erase(at, 2);
  return digits;
}

Value to_integer(V value, A arguments) {
  const Value* other = argument(arguments, 0, "default");
  const Value fallback = other == nullptr ? Value(std::int64_t{0}) : *other;
  const std::int64_t base = integer(arguments, 1, "base", 10);
  double real = 0;
  if (is_whole(value)) return whole(value);
  if (const auto* text = value.as<Text>()) {
    const std::string digits = digits_of(*text);
    std::int64_t out = 0;
    if (base >= 2 && base <= 36 &&
        read(without_prefix(digits, base), out, static_cast<int>(base))) {
      return out;
    }
    if (!read(digits, real)) return fallback;
  } else if (is_number(value)) {
    real = number(value);
  } else {
    return fallback;
  }
  return std::abs(real) < 9e18 ? static_cast<std::int64_t>(real) : fallback;
}

/// The lines as Python's splitlines() cuts them.
Value indented(V value, A arguments) {
  const Value* given = argument(arguments, 0, "width");
  const bool is_first_moved = truth(arguments, 1, "first", false);
  const bool is_blank_moved = truth(arguments, 2, "blank", false);
  Text width;
  if (given != nullptr && given->as<Text>() != nullptr) {
    width = *given->as<Text>();
  } else {
    const auto count = integer(arguments, 0, "width", 4);
    width = Text(std::string(
        static_cast<std::size_t>(std::clamp<std::int64_t>(count, 0, 1000)),
        ' '));
  }
  Text whole = to_text(value);
  whole += Text("\n");
  Text out;
  bool is_first = true;
  for (const Text& line : split_lines(whole, /*keeps_ends=*/false)) {
    if (!is_first) out += Text("\n");
    const bool is_moved =
        is_first ? is_first_moved : line.size() > 0 || is_blank_moved;
    if (is_moved) out += width;
    out += line;
    is_first = false;
  }
  return out;
}

Value rounded(V value, A arguments) {
  const std::int64_t places = integer(arguments, 0, "precision", 0);
  const Value* given = argument(arguments, 1, "method");
  const std::string how = given == nullptr ? "common" : to_text(*given).bytes();
  if (!is_number(value)) {
    throw Error(Code::kData, str("round needs a number, not ", kind(value)));
  }
  if (how != "common" && how != "ceil" && how != "floor") {
    throw Error(Code::kData,
                str("round: expected common, ceil or floor, not '", how, "'"));
  }
  if (how != "common") {
    const double scale = std::pow(10.0, static_cast<double>(places));
    const double scaled = number(value) * scale;
    return (how == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / scale;
  }
  if (is_whole(value) && places >= 0) return whole(value);
  if (places < 0) {
    const double scale = std::pow(10.0, static_cast<double>(-places));
    const double out = std::nearbyint(number(value) / scale) * scale;
    if (is_whole(value)) return static_cast<std::int64_t>(out);
    return out;
  }
  // Its decimal digits decide, as in Python.
  std::array<char, 512> digits{};
  (void)std::snprintf(digits.data(), digits.size(), "%.*f",
                      static_cast<int>(std::min<std::int64_t>(places, 100)),
                      number(value));
  return std::strtod(digits.data(), nullptr);
}

Value replaced(V value, A arguments) {
  return to_text(value).replaced(
      to_text(*argument(arguments, 0, "old")),
      to_text(*argument(arguments, 1, "new")),
      static_cast<std::size_t>(integer(arguments, 2, "count", -1)));
}

Value absolute(V value, A) {
  if (!is_number(value)) {
    throw Error(Code::kData, str("abs needs a number, not ", kind(value)));
  }
  const Value zero = std::int64_t{0};
  return compare(value, zero) < 0 ? operate("-", zero, value)
                                  : operate("+", zero, value);
}

Value centered(V value, A arguments) {
  const Value call = method(to_text(value), "center");
  const auto& center = **call.as<std::shared_ptr<const Function>>();
  return center({.plain = {integer(arguments, 0, "width", 80)}, .named = {}});
}

/// At the last space before the end.
Value truncated(V value, A arguments) {
  const Text all = to_text(value);
  const auto at = all.characters();
  const std::int64_t most = integer(arguments, 0, "length", 255);
  const bool may_cut_words = truth(arguments, 1, "killwords", false);
  const Value* mark = argument(arguments, 2, "end");
  const Text end = mark == nullptr ? Text("...") : to_text(*mark);
  const std::int64_t leeway = integer(arguments, 3, "leeway", 5);
  const std::int64_t kept = most - length_of(end);
  if (kept < 0)
    throw Error(Code::kData, "truncate: the end is longer than all");
  if (std::ssize(at) - 1 <= most + leeway) return all;
  Text out = all.part(0, at[static_cast<std::size_t>(kept)]);
  const auto space = out.bytes().rfind(' ');
  if (!may_cut_words && space != std::string::npos) out = out.part(0, space);
  return out += end;
}

Value json(V value, A arguments) {
  JsonStyle style;
  style.is_ascii = truth(arguments, 0, "ensure_ascii", false);
  const Value* indent = argument(arguments, 1, "indent");
  if (indent != nullptr && !indent->is_none()) {
    style.has_lines = true;
    style.between = Text(",");
    if (const auto* text = indent->as<Text>()) {
      style.indent = *text;
    } else {
      const auto width = integer(arguments, 1, "indent", 0);
      style.indent = Text(std::string(
          static_cast<std::size_t>(std::clamp<std::int64_t>(width, 0, 100)),
          ' '));
    }
  }
  const Value* separators = argument(arguments, 2, "separators");
  if (separators != nullptr && !separators->is_none()) {
    const List two = items_of(*separators);
    if (two.size() != 2 || two[0].as<Text>() == nullptr ||
        two[1].as<Text>() == nullptr) {
      throw Error(Code::kData, "tojson: 'separators' are no two texts");
    }
    style.between = *two[0].as<Text>();
    style.after_key = *two[1].as<Text>();
  }
  style.is_sorted = truth(arguments, 3, "sort_keys", false);
  return to_json(value, style);
}

Value by_format(V value, A arguments) {
  if (!arguments.plain.empty() && !arguments.named.empty()) {
    throw Error(Code::kData, "format: expected values or names, not both");
  }
  if (arguments.named.empty()) {
    return percent(to_text(value),
                   make_list(arguments.plain, ListKind::kTuple));
  }
  Dict names;
  for (const auto& [name, each] : arguments.named) {
    names.emplace_back(text(name), each);
  }
  return percent(to_text(value), make_map(std::move(names)));
}

Value trimmed(V value, A arguments) {
  const Value* of = argument(arguments, 0, "chars");
  const bool is_given = of != nullptr && !of->is_none();
  return to_text(value).stripped(true, true,
                                 is_given ? to_text(*of).bytes() : "");
}

std::map<std::string, Filter> table() {
  std::map<std::string, Filter> all{
      {"trim", {{{"chars"}}, trimmed}},
      {"length", {{}, [](V v, A) { return length_of(v); }}},
      {"count", {{}, [](V v, A) { return length_of(v); }}},
      {"tojson",
       {{{"ensure_ascii", "indent", "separators", "sort_keys"}}, json}},
      {"upper", {{}, [](V v, A) { return upper(to_text(v)); }}},
      {"lower", {{}, [](V v, A) { return lower(to_text(v)); }}},
      {"title", {{}, title}},
      {"capitalize", {{}, [](V v, A) { return capitalized(to_text(v)); }}},
      {"replace", {{{"old", "new", "count"}, 2}, replaced}},
      {"string", {{}, [](V v, A) { return to_text(v); }}},
      {"safe", {{}, [](V v, A) { return v; }}},
      {"default", {{{"default_value", "boolean"}}, default_of}},
      {"d", {{{"default_value", "boolean"}}, default_of}},
      {"int", {{{"default", "base"}}, to_integer}},
      {"float", {{{"default"}}, to_float}},
      {"abs", {{}, absolute}},
      {"round", {{{"precision", "method"}}, rounded}},
      {"indent", {{{"width", "first", "blank"}}, indented}},
      {"center", {{{"width"}}, centered}},
      {"truncate", {{{"length", "killwords", "end", "leeway"}}, truncated}},
      {"format", {{{}, 0, true}, by_format}},
      {"wordcount",
       {{},
        [](V v, A) {
          return std::ssize(to_text(v).split("", std::string::npos));
        }}},
  };
  add_list_filters(all);
  return all;
}

const std::map<std::string, Filter>& filters() {
  static const std::map<std::string, Filter> all = table();
  return all;
}

}  // namespace

bool has_filter(const std::string& name) { return filters().contains(name); }

Value filter(const std::string& name, const Value& on,
             const Arguments& arguments) {
  const auto found = filters().find(name);
  if (found == filters().end()) {
    throw Error(Code::kData, str("there is no filter '", name, "'"));
  }
  check(found->second.signature, "filter '" + name + "'", arguments);
  return found->second.call(on, arguments);
}

}  // namespace penstock::gemma::jinja
