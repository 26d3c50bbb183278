// Methods of texts, maps and lists: `text.strip()`, `map.items()`.
#include <algorithm>
#include <map>

#include "gemma/jinja/filters.h"
#include "gemma/jinja/letters.h"
#include "gemma/jinja/utf8.h"
#include "penstock/error.h"

namespace penstock::gemma::jinja {
namespace {

using T = const Text&;
using A = const Arguments&;

struct Method {
  Signature signature;
  std::function<Value(T, A)> call;
};

/// The text of an argument; nothing where it is none or not given.
Text text_of(A arguments, std::size_t index, const char* name) {
  const Value* found = argument(arguments, index, name);
  if (found == nullptr || found->is_none()) return {};
  const auto* text = found->as<Text>();
  if (text == nullptr) {
    throw Error(Code::kData, str("a method needs a text, not ", kind(*found)));
  }
  return *text;
}

std::size_t most_of(A arguments, std::size_t index, const char* name) {
  return static_cast<std::size_t>(integer(arguments, index, name, -1));
}

bool starts(T text, T with) { return text.bytes().rfind(with.bytes(), 0) == 0; }
bool ends(T text, T with) { return text.bytes().ends_with(with.bytes()); }

/// Whether a text, or one of a tuple of them, fits; within [start, end).
Value fits(T text, A arguments, bool (*does)(T, T)) {
  const auto at = text.characters();
  const auto size = std::ssize(at) - 1;
  const auto place = [&](std::int64_t given) {
    return at[static_cast<std::size_t>(
        std::clamp<std::int64_t>(given < 0 ? given + size : given, 0, size))];
  };
  const std::size_t from = place(integer(arguments, 1, "start", 0));
  const std::size_t to = place(integer(arguments, 2, "end", size));
  const Text part = text.part(from, to < from ? 0 : to - from);
  const auto* given = arguments.plain[0].as<Listing>();
  const bool is_tuple = given != nullptr && given->kind == ListKind::kTuple;
  const List* all = is_tuple ? given->items.get() : nullptr;
  if (all == nullptr) return does(part, text_of(arguments, 0, "prefix"));
  return std::any_of(all->begin(), all->end(), [&](const Value& each) {
    return does(part, to_text(each));
  });
}

Value as_list(const std::vector<Text>& texts) {
  return make_list(List(texts.begin(), texts.end()));
}

Value count(T text, A arguments) {
  const Text part = text_of(arguments, 0, "sub");
  std::int64_t found = 0;
  if (part.size() == 0) return length_of(text) + 1;
  for (auto at = text.bytes().find(part.bytes()); at != std::string::npos;
       at = text.bytes().find(part.bytes(), at + part.size())) {
    ++found;
  }
  return found;
}

/// Where a text stands, in characters; -1: nowhere.
std::int64_t position(T text, A arguments, bool is_last) {
  const Text part = text_of(arguments, 0, "sub");
  const auto at = is_last ? text.bytes().rfind(part.bytes())
                          : text.bytes().find(part.bytes());
  return at == std::string::npos ? -1 : length_of(text.part(0, at));
}

auto finding(bool is_last, bool must_be_there) {
  return [=](T text, A arguments) -> Value {
    const std::int64_t at = position(text, arguments, is_last);
    if (at < 0 && must_be_there) throw Error(Code::kData, "index: not found");
    return at;
  };
}

auto stripping(bool left, bool right) {
  return [=](T text, A arguments) -> Value {
    return text.stripped(left, right, text_of(arguments, 0, "chars").bytes());
  };
}

auto splitting(bool from_right) {
  return [=](T text, A arguments) -> Value {
    const Value* separator = argument(arguments, 0, "sep");
    const Text given = text_of(arguments, 0, "sep");
    const bool is_given = separator != nullptr && !separator->is_none();
    if (is_given && given.size() == 0) {
      throw Error(Code::kData, "split needs a separator that is not empty");
    }
    return as_list(text.split(given.bytes(), most_of(arguments, 1, "maxsplit"),
                              from_right));
  };
}

/// Before, separator, behind.
auto parting(bool is_last) {
  return [=](T text, A arguments) -> Value {
    const Text by = text_of(arguments, 0, "sep");
    const auto at = is_last ? text.bytes().rfind(by.bytes())
                            : text.bytes().find(by.bytes());
    if (at == std::string::npos && is_last) {
      return make_list({Text(), Text(), text}, ListKind::kTuple);
    }
    if (at == std::string::npos) {
      return make_list({text, Text(), Text()}, ListKind::kTuple);
    }
    return make_list(
        {text.part(0, at), text.part(at, by.size()), text.part(at + by.size())},
        ListKind::kTuple);
  };
}

/// `left`: how much of what is lacking goes there, of 2.
auto filling(int left) {
  return [=](T text, A arguments) -> Value {
    const std::int64_t width = integer(arguments, 0, "width", 0);
    const Value* given = argument(arguments, 1, "fillchar");
    const Text fill = given == nullptr ? Text(" ") : to_text(*given);
    if (length_of(fill) != 1 || width > 100'000) {
      throw Error(Code::kData,
                  "a text is filled by one character, to a width "
                  "of at most 100000");
    }
    const std::int64_t lack =
        std::max<std::int64_t>(0, width - length_of(text));
    // As Python: of an odd rest the larger part is left where the width is odd.
    const std::int64_t before = left == 1   ? lack / 2 + (lack & width & 1)
                                : left == 2 ? lack
                                            : 0;
    Text out;
    for (std::int64_t i = 0; i < before; ++i) out += fill;
    out += text;
    for (std::int64_t i = before; i < lack; ++i) out += fill;
    return out;
  };
}

Value zero_filled(T text, A arguments) {
  const std::int64_t width = integer(arguments, 0, "width", 0);
  if (width > 100'000) throw Error(Code::kData, "zfill: above 100000");
  const bool has_sign = starts(text, Text("-")) || starts(text, Text("+"));
  Text out = text.part(0, has_sign ? 1 : 0);
  for (std::int64_t i = length_of(text); i < width; ++i) out += Text("0");
  return out += text.part(has_sign ? 1 : 0);
}

Value joined(T text, A arguments) {
  Text out;
  bool is_first = true;
  for (const Value& item : items_of(arguments.plain[0])) {
    const auto* part = item.as<Text>();
    if (part == nullptr) {
      throw Error(Code::kData, str("join needs texts, not ", kind(item)));
    }
    if (!std::exchange(is_first, false)) out += text;
    out += *part;
  }
  return out;
}

Value is_digits(T text, A) {
  const std::string& bytes = text.bytes();
  return !bytes.empty() &&
         bytes.find_first_not_of("0123456789") == std::string::npos;
}

// lint: long, a table
const std::map<std::string, Method>& text_methods() {
  const Signature none{};
  const Signature one{{".text"}, 1};
  const Signature chars{{".chars"}};
  const Signature width{{".width", ".fillchar"}, 1};
  const Signature within{{".prefix", ".start", ".end"}, 1};
  static const std::map<std::string, Method> table{
      {"strip", {chars, stripping(true, true)}},
      {"lstrip", {chars, stripping(true, false)}},
      {"rstrip", {chars, stripping(false, true)}},
      {"split", {{{"sep", "maxsplit"}}, splitting(false)}},
      {"rsplit", {{{"sep", "maxsplit"}}, splitting(true)}},
      {"splitlines",
       {{{"keepends"}},
        [](T t, A a) {
          return as_list(split_lines(t, truth(a, 0, "keepends", false)));
        }}},
      {"partition", {one, parting(false)}},
      {"rpartition", {one, parting(true)}},
      {"startswith", {within, [](T t, A a) { return fits(t, a, starts); }}},
      {"endswith", {within, [](T t, A a) { return fits(t, a, ends); }}},
      {"removeprefix",
       {one,
        [](T t, A a) {
          const Text prefix = text_of(a, 0, "");
          return starts(t, prefix) ? t.part(prefix.size()) : t;
        }}},
      {"removesuffix",
       {one,
        [](T t, A a) {
          const Text suffix = text_of(a, 0, "");
          return ends(t, suffix) ? t.part(0, t.size() - suffix.size()) : t;
        }}},
      {"replace",
       {{{".old", ".new", ".count"}, 2},
        [](T t, A a) {
          return t.replaced(text_of(a, 0, ""), text_of(a, 1, ""),
                            most_of(a, 2, ""));
        }}},
      {"find", {one, finding(false, false)}},
      {"rfind", {one, finding(true, false)}},
      {"index", {one, finding(false, true)}},
      {"rindex", {one, finding(true, true)}},
      {"count", {one, count}},
      {"center", {width, filling(1)}},
      {"ljust", {width, filling(0)}},
      {"rjust", {width, filling(2)}},
      {"zfill", {one, zero_filled}},
      {"format", {{{}, 0, true}, formatted}},
      {"upper", {none, [](T t, A) { return upper(t); }}},
      {"lower", {none, [](T t, A) { return lower(t); }}},
      {"title", {none, [](T t, A) { return titled(t); }}},
      {"capitalize", {none, [](T t, A) { return capitalized(t); }}},
      {"swapcase", {none, [](T t, A) { return swapped(t); }}},
      {"isupper", {none, [](T t, A) { return is_upper(t); }}},
      {"islower", {none, [](T t, A) { return is_lower(t); }}},
      {"isdigit", {none, is_digits}},
      {"isspace",
       {none,
        [](T t, A) {
          return t.size() > 0 && t.stripped(true, true).size() == 0;
        }}},
      {"join", {one, joined}},
  };
  return table;
}

/// items, keys, values.
Value view(const Dict& map, const std::string& name) {
  List out;
  for (const auto& [key, value] : map) {
    out.push_back(name == "keys" ? key : value);
  }
  return make_list(std::move(out),
                   name == "keys" ? ListKind::kKeys : ListKind::kValues);
}

Value map_method(const Mapping& of, const std::string& name) {
  if (of.is_namespace || of.call != nullptr) return Undefined{name};
  const std::string what = "method '" + name + "'";
  if (name == "items") {
    return make_function(what, {}, [of](A) { return pairs_of(of); });
  }
  if (name == "keys" || name == "values") {
    return make_function(what, {},
                         [map = of.map, name](A) { return view(*map, name); });
  }
  if (name == "copy") return make_function(what, {}, [of](A) { return of; });
  if (name != "get") return Undefined{name};
  return make_function(
      what, {{".key", ".default"}, 1}, [map = of.map](A arguments) -> Value {
        const Value* found = find(*map, arguments.plain[0]);
        if (found != nullptr) return *found;
        return arguments.plain.size() > 1 ? arguments.plain[1] : Value(None());
      });
}

Value list_method(const Listing& of, const std::string& name) {
  const std::string what = "method '" + name + "'";
  const Signature one{{".value"}, 1};
  const auto items = of.items;
  if (of.kind == ListKind::kGroup && name == "grouper") return items->front();
  if (of.kind == ListKind::kGroup && name == "list") return items->back();
  if (name == "count") {
    return make_function(what, one, [items](A a) -> Value {
      return std::count_if(
          items->begin(), items->end(),
          [&](const Value& each) { return equal(each, a.plain[0]); });
    });
  }
  if (name != "index") return Undefined{name};
  return make_function(what, one, [items](A a) -> Value {
    const auto found = std::find_if(
        items->begin(), items->end(),
        [&](const Value& each) { return equal(each, a.plain[0]); });
    if (found == items->end()) throw Error(Code::kData, "index: not found");
    return found - items->begin();
  });
}

}  // namespace

std::vector<Text> split_lines(const Text& text, bool keeps_ends) {
  std::vector<Text> out;
  const auto at = text.characters();
  std::size_t from = 0;
  for (std::size_t i = 0; i + 1 < at.size(); ++i) {
    const char32_t c = code_point(text.bytes(), at[i]);
    const bool is_end = (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) ||
                        c == 0x85 || c == 0x2028 || c == 0x2029;
    if (!is_end) continue;
    const std::size_t end = at[i];
    const bool is_pair = c == '\r' && text.bytes()[at[i + 1]] == '\n';
    if (is_pair) ++i;
    out.push_back(text.part(from, (keeps_ends ? at[i + 1] : end) - from));
    from = at[i + 1];
  }
  if (from < text.size()) out.push_back(text.part(from));
  return out;
}

Value method(const Value& of, const std::string& name) {
  if (const auto* mapping = of.as<Mapping>()) return map_method(*mapping, name);
  if (const auto* list = of.as<Listing>()) return list_method(*list, name);
  const auto* text = of.as<Text>();
  if (text == nullptr) return Undefined{name};
  const auto found = text_methods().find(name);
  if (found == text_methods().end()) return Undefined{name};
  return make_function("method '" + name + "'", found->second.signature,
                       [copy = *text, &call = found->second.call](A arguments) {
                         return call(copy, arguments);
                       });
}

}  // namespace penstock::gemma::jinja
