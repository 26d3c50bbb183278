// `x | NAME`.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <utility>

#include "gemma/jinja/builtins.h"
#include "penstock/error.h"

namespace penstock::gemma::jinja {
namespace {

using Filter = std::function<Value(const Value&, const Arguments&)>;

/// Latin, Greek and Cyrillic, whose pairs of letters stand at one distance.
struct Letters {
  unsigned first, last;  ///< of the capitals
  unsigned distance;     ///< from a capital to its small letter
};
constexpr std::array<Letters, 5> kLetters{{{0x41, 0x5A, 0x20},
                                           {0xC0, 0xDE, 0x20},
                                           {0x391, 0x3A9, 0x20},
                                           {0x400, 0x40F, 0x50},
                                           {0x410, 0x42F, 0x20}}};

unsigned changed(unsigned letter, bool to_upper) {
  for (const auto& [first, last, distance] : kLetters) {
    const unsigned capital = to_upper ? letter - distance : letter;
    const bool is_sign = capital == 0xD7 || capital == 0x3A2;
    if (capital < first || capital > last || is_sign) continue;
    return to_upper ? capital : capital + distance;
  }
  return letter;
}

/// Text with each of its letters changed, which keep their size in UTF-8.
template <class IsUpper>
Value cased(const Text& text, IsUpper&& is_upper) {
  unsigned lead = 0;
  char* before = nullptr;
  return text.mapped([&](char& c) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      return static_cast<char>(changed(byte, is_upper(c)));
    }
    if (byte >= 0xC0) {
      lead = byte < 0xE0 ? byte & 0x1FU : 0;
      before = &c;
      return c;
    }
    if (lead == 0) return c;
    const unsigned out = changed(lead << 6U | (byte & 0x3FU), is_upper(c));
    lead = 0;
    *before = static_cast<char>(0xC0U | out >> 6U);
    return static_cast<char>(0x80U | (out & 0x3FU));
  });
}

Value upper(const Text& text) {
  return cased(text, [](char) { return true; });
}
Value lower(const Text& text) {
  return cased(text, [](char) { return false; });
}

/// jinja2's: words begin after white space and ([{<-
Value titled(const Value& value, bool is_each_word) {
  bool is_start = true;
  return cased(to_text(value), [&](char c) {
    const bool is_between =
        std::string("-([{< \t\n\r\f\v").find(c) != std::string::npos;
    return std::exchange(is_start, is_each_word && is_between);
  });
}

Arguments rest(const Arguments& arguments, std::size_t from) {
  Arguments out = arguments;
  const auto count = std::min(from, out.plain.size());
  out.plain.erase(out.plain.begin(),
                  out.plain.begin() + static_cast<std::ptrdiff_t>(count));
  return out;
}

std::string word_of(const Arguments& arguments, std::size_t index) {
  const Value* found = argument(arguments, index, "attribute");
  return found == nullptr ? "" : to_text(*found).bytes();
}

/// A path such as "function.name" of an item.
Value attribute_of(const Value& item, const std::string& path) {
  Value out = item;
  for (std::size_t at = 0; at <= path.size();) {
    const auto dot = std::min(path.find('.', at), path.size());
    out = member(out, path.substr(at, dot - at));
    at = dot + 1;
  }
  return out;
}

Value join(const Value& value, const Arguments& arguments) {
  const Value* between = argument(arguments, 0, "d");
  const Value* attribute = argument(arguments, 1, "attribute");
  const Text separator = between == nullptr ? Text() : to_text(*between);
  Text out;
  bool is_first = true;
  for (const Value& item : items_of(value)) {
    if (!std::exchange(is_first, false)) out += separator;
    out += to_text(attribute == nullptr
                       ? item
                       : attribute_of(item, to_text(*attribute).bytes()));
  }
  return out;
}

/// select, reject, selectattr, rejectattr.
Value chosen(const Value& value, const Arguments& arguments, bool has_attribute,
             bool is_wanted) {
  const std::size_t at = has_attribute ? 1 : 0;
  const bool has_test = arguments.plain.size() > at;
  List out;
  for (const Value& item : items_of(value)) {
    const Value looked =
        has_attribute ? attribute_of(item, word_of(arguments, 0)) : item;
    const bool is = has_test ? test(to_text(arguments.plain[at]).bytes(),
                                    looked, rest(arguments, at + 1))
                             : is_true(looked);
    if (is == is_wanted) out.push_back(item);
  }
  return make_list(std::move(out));
}

Value map_items(const Value& value, const Arguments& arguments) {
  const Value* attribute = find(arguments.named, "attribute");
  const Value* fallback = find(arguments.named, "default");
  List out;
  for (const Value& item : items_of(value)) {
    if (attribute == nullptr) {
      out.push_back(filter(word_of(arguments, 0), item, rest(arguments, 1)));
      continue;
    }
    const Value found = attribute_of(item, to_text(*attribute).bytes());
    const bool is_missing = found.is_undefined() && fallback != nullptr;
    out.push_back(is_missing ? *fallback : found);
  }
  return make_list(std::move(out));
}

/// What texts are sorted by.
Value without_case(const Value& value) {
  const auto* text = value.as<Text>();
  return text == nullptr ? value : lower(*text);
}

Value sorted(const Value& value, const Arguments& arguments) {
  List items = items_of(value);
  const Value* down = argument(arguments, 0, "reverse");
  const Value* attribute = find(arguments.named, "attribute");
  const auto key = [&](const Value& item) {
    return without_case(attribute == nullptr
                            ? item
                            : attribute_of(item, to_text(*attribute).bytes()));
  };
  const bool is_down = down != nullptr && is_true(*down);
  std::stable_sort(items.begin(), items.end(),
                   [&](const Value& a, const Value& b) {
                     const int order = compare(key(a), key(b));
                     return is_down ? order > 0 : order < 0;
                   });
  return make_list(std::move(items));
}

/// A map as a list of [key, value].
Value pairs(const Value& value) {
  const Value call = method(value, "items");
  const auto* found = call.as<std::shared_ptr<const Function>>();
  return found == nullptr ? make_list({}) : (**found)({});
}

Value sorted_by_key(const Value& value) {
  List items = items_of(pairs(value));
  const auto key = [](const Value& pair) {
    return without_case(pair.list()->front());
  };
  std::stable_sort(items.begin(), items.end(),
                   [&](const Value& a, const Value& b) {
                     return compare(key(a), key(b)) < 0;
                   });
  return make_list(std::move(items));
}

/// 0 for what is no number.
Value to_float(const Value& value) {
  if (is_number(value)) return number(value);
  const auto* text = value.as<Text>();
  if (text == nullptr) return 0.0;
  const std::string bytes = text->stripped(true, true).bytes();
  double out = 0;
  const auto [end, error] =
      std::from_chars(bytes.data(), bytes.data() + bytes.size(), out);
  return error == std::errc() && end == bytes.data() + bytes.size() ? out : 0.0;
}

Value unique(const Value& value) {
  List out;
  for (Value& item : items_of(value)) {
    const bool is_known =
        std::any_of(out.begin(), out.end(),
                    [&](const Value& known) { return equal(known, item); });
    if (!is_known) out.push_back(std::move(item));
  }
  return make_list(std::move(out));
}

Value default_of(const Value& value, const Arguments& arguments) {
  const Value* other = argument(arguments, 0, "default_value");
  const Value* falsy = argument(arguments, 1, "boolean");
  const bool is_left = value.is_undefined() ||
                       (falsy != nullptr && is_true(*falsy) && !is_true(value));
  if (!is_left) return value;
  return other == nullptr ? text("") : *other;
}

Value to_integer(const Value& value, const Arguments& arguments) {
  const std::int64_t fallback = integer(arguments, 0, "default", 0);
  if (is_number(value)) {
    const double real = number(value);
    return std::abs(real) < 9e18 ? static_cast<std::int64_t>(real) : fallback;
  }
  const auto* found = value.as<Text>();
  if (found == nullptr) return fallback;
  const std::string digits = found->stripped(true, true).bytes();
  std::int64_t out = 0;
  const auto read =
      std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return read.ec == std::errc() && read.ptr == digits.data() + digits.size()
             ? out
             : fallback;
}

Value indented(const Value& value, const Arguments& arguments) {
  const Value* given = argument(arguments, 0, "width");
  const Value* first = argument(arguments, 1, "first");
  const Value* blank = argument(arguments, 2, "blank");
  Text width(std::string(4, ' '));
  if (given != nullptr && given->as<Text>() != nullptr) {
    width = *given->as<Text>();
  } else if (given != nullptr) {
    const auto count = integer(arguments, 0, "width", 4);
    width = Text(std::string(
        static_cast<std::size_t>(std::clamp<std::int64_t>(count, 0, 1000)),
        ' '));
  }
  Text out;
  bool is_first = true;
  for (const Text& line : to_text(value).split("\n", std::string::npos)) {
    const bool is_blank = line.size() == 0;
    if (!is_first) out += Text("\n");
    const bool is_moved =
        is_first ? first != nullptr && is_true(*first)
                 : !is_blank || (blank != nullptr && is_true(*blank));
    if (is_moved) out += width;
    out += line;
    is_first = false;
  }
  return out;
}

Value end_of(const Value& value, bool is_first) {
  const List items = items_of(value);
  if (items.empty()) return Undefined{"an item of nothing"};
  return is_first ? items.front() : items.back();
}

Value reversed(const Value& value) {
  List items = items_of(value);
  std::reverse(items.begin(), items.end());
  if (value.as<Text>() == nullptr) return make_list(std::move(items));
  Text out;
  for (const Value& item : items) out += *item.as<Text>();
  return out;
}

Value rounded(const Value& value, const Arguments& arguments) {
  const double scale =
      std::pow(10, static_cast<double>(std::clamp<std::int64_t>(
                       integer(arguments, 0, "precision", 0), -15, 15)));
  return std::nearbyint(number(value) * scale) / scale;
}

Value replaced(const Value& value, const Arguments& arguments) {
  const Value* from = argument(arguments, 0, "old");
  const Value* to = argument(arguments, 1, "new");
  if (from == nullptr || to == nullptr) {
    throw Error(Code::kData, "replace needs what to replace, and by what");
  }
  return to_text(value).replaced(
      to_text(*from), to_text(*to),
      static_cast<std::size_t>(integer(arguments, 2, "count", -1)));
}

const std::map<std::string, Filter>& filters() {
  using V = const Value&;
  using A = const Arguments&;
  static const std::map<std::string, Filter> table{
      {"trim",
       [](V v, A a) {
         const Value* of = argument(a, 0, "chars");
         return to_text(v).stripped(true, true,
                                    of == nullptr ? "" : to_text(*of).bytes());
       }},
      {"length", [](V v, A) { return length_of(v); }},
      {"count", [](V v, A) { return length_of(v); }},
      {"tojson",
       [](V v, A a) {
         return to_json(v, static_cast<int>(std::clamp<std::int64_t>(
                               integer(a, 1, "indent", -1), -1, 16)));
       }},
      {"join", join},
      {"upper", [](V v, A) { return upper(to_text(v)); }},
      {"lower", [](V v, A) { return lower(to_text(v)); }},
      {"title", [](V v, A) { return titled(v, true); }},
      {"capitalize", [](V v, A) { return titled(v, false); }},
      {"replace", replaced},
      {"string", [](V v, A) { return to_text(v); }},
      {"safe", [](V v, A) { return v; }},
      {"list", [](V v, A) { return make_list(items_of(v)); }},
      {"items", [](V v, A) { return pairs(v); }},
      {"dictsort", [](V v, A) { return sorted_by_key(v); }},
      {"first", [](V v, A) { return end_of(v, true); }},
      {"last", [](V v, A) { return end_of(v, false); }},
      {"reverse", [](V v, A) { return reversed(v); }},
      {"sort", sorted},
      {"unique", [](V v, A) { return unique(v); }},
      {"map", map_items},
      {"select", [](V v, A a) { return chosen(v, a, false, true); }},
      {"reject", [](V v, A a) { return chosen(v, a, false, false); }},
      {"selectattr", [](V v, A a) { return chosen(v, a, true, true); }},
      {"rejectattr", [](V v, A a) { return chosen(v, a, true, false); }},
      {"default", default_of},
      {"d", default_of},
      {"int", to_integer},
      {"float", [](V v, A) { return to_float(v); }},
      {"abs",
       [](V v, A) {
         return is_true(operate("<", v, std::int64_t{0}))
                    ? operate("-", std::int64_t{0}, v)
                    : v;
       }},
      {"round", rounded},
      {"indent", indented},
  };
  return table;
}

}  // namespace

Value filter(const std::string& name, const Value& on,
             const Arguments& arguments) {
  const auto found = filters().find(name);
  if (found == filters().end()) {
    throw Error(Code::kData, str("there is no filter '", name, "'"));
  }
  return found->second(on, arguments);
}

}  // namespace penstock::gemma::jinja
