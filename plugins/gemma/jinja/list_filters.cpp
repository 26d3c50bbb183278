// `x | NAME` for lists and maps.
#include <algorithm>
#include <charconv>
#include <utility>

#include "gemma/jinja/filters.h"
#include "gemma/jinja/letters.h"
#include "penstock/error.h"

namespace penstock::gemma::jinja {
namespace {

using V = const Value&;
using A = const Arguments&;

/// Arguments behind the first `count`, and those with a name.
Arguments rest(A arguments, std::size_t count) {
  Arguments out = arguments;
  const auto from = std::min(count, out.plain.size());
  out.plain.erase(out.plain.begin(),
                  out.plain.begin() + static_cast<std::ptrdiff_t>(from));
  return out;
}

/// A path such as "function.name" of an item; digits are places in a list.
Value attribute_of(V item, V path) {
  if (is_whole(path)) return member(item, path);
  const std::string names = to_text(path).bytes();
  Value out = item;
  for (std::size_t at = 0; at <= names.size();) {
    const auto dot = std::min(names.find('.', at), names.size());
    const std::string name = names.substr(at, dot - at);
    std::int64_t place = 0;
    const auto [end, error] =
        std::from_chars(name.data(), name.data() + name.size(), place);
    const bool is_place =
        error == std::errc() && end == name.data() + name.size();
    out = is_place ? member(out, place) : member(out, text(name));
    at = dot + 1;
  }
  return out;
}

/// The item, or its attribute where one is given, without case if it is text.
Value key_of(V item, const Value* attribute, bool has_case) {
  Value out = attribute == nullptr || attribute->is_none()
                  ? item
                  : attribute_of(item, *attribute);
  const auto* text = out.as<Text>();
  return has_case || text == nullptr ? out : Value(lower(*text));
}

Value join(V value, A arguments) {
  const Value* between = argument(arguments, 0, "d");
  const Value* attribute = argument(arguments, 1, "attribute");
  const Text separator = between == nullptr ? Text() : to_text(*between);
  Text out;
  bool is_first = true;
  for (const Value& item : items_of(value)) {
    if (!std::exchange(is_first, false)) out += separator;
    out += to_text(key_of(item, attribute, /*has_case=*/true));
  }
  return out;
}

/// select, reject, selectattr, rejectattr.
auto choosing(bool has_attribute, bool is_wanted) {
  return [=](V value, A arguments) -> Value {
    const std::size_t at = has_attribute ? 1 : 0;
    const bool has_test = arguments.plain.size() > at;
    if (has_attribute && arguments.plain.empty()) {
      throw Error(Code::kData, "selectattr and rejectattr need an attribute");
    }
    List out;
    for (const Value& item : items_of(value)) {
      const Value looked =
          has_attribute ? attribute_of(item, arguments.plain[0]) : item;
      const bool is = has_test ? test(to_text(arguments.plain[at]).bytes(),
                                      looked, rest(arguments, at + 1))
                               : is_true(looked);
      if (is == is_wanted) out.push_back(item);
    }
    return make_list(std::move(out));
  };
}

Value mapped(V value, A arguments) {
  const Value* attribute = find(arguments.named, "attribute");
  const Value* fallback = find(arguments.named, "default");
  const bool by_attribute = arguments.plain.empty() && attribute != nullptr;
  if (by_attribute)
    check({{"attribute", "default"}}, "filter 'map'", arguments);
  if (!by_attribute && arguments.plain.empty()) {
    throw Error(Code::kData, "map needs a filter or an attribute");
  }
  List out;
  for (const Value& item : items_of(value)) {
    if (!by_attribute) {
      out.push_back(filter(to_text(arguments.plain[0]).bytes(), item,
                           rest(arguments, 1)));
      continue;
    }
    const Value found = attribute_of(item, *attribute);
    const bool is_missing = found.is_undefined() && fallback != nullptr;
    out.push_back(is_missing ? *fallback : found);
  }
  return make_list(std::move(out));
}

template <class Key>
void sort_by(List& items, bool is_down, Key&& key) {
  std::vector<std::pair<Value, Value>> keyed;
  for (Value& item : items) keyed.emplace_back(key(item), std::move(item));
  std::stable_sort(keyed.begin(), keyed.end(),
                   [&](const auto& a, const auto& b) {
                     const int order = compare(a.first, b.first);
                     return is_down ? order > 0 : order < 0;
                   });
  for (std::size_t i = 0; i < items.size(); ++i) {
    items[i] = std::move(keyed[i].second);
  }
}

/// "a,b": by a, and by b where those are equal.
Value sorted(V value, A arguments) {
  List items = items_of(value);
  const bool has_case = truth(arguments, 1, "case_sensitive", false);
  const Value* attribute = argument(arguments, 2, "attribute");
  const auto* names = attribute == nullptr ? nullptr : attribute->as<Text>();
  sort_by(items, truth(arguments, 0, "reverse", false), [&](V item) -> Value {
    if (names == nullptr) return key_of(item, attribute, has_case);
    List keys;
    for (const Text& name : names->split(",", std::string::npos)) {
      const Value path = name;
      keys.push_back(key_of(item, &path, has_case));
    }
    return make_list(std::move(keys));
  });
  return make_list(std::move(items));
}

Value sorted_map(V value, A arguments) {
  List items = items_of(pairs_of(value));
  const bool has_case = truth(arguments, 0, "case_sensitive", false);
  const Value* by = argument(arguments, 1, "by");
  const std::string what = by == nullptr ? "key" : to_text(*by).bytes();
  if (what != "key" && what != "value") {
    throw Error(Code::kData,
                str("dictsort: expected key or value, not '", what, "'"));
  }
  const Value place = std::int64_t{what == "key" ? 0 : 1};
  sort_by(items, truth(arguments, 2, "reverse", false),
          [&](V pair) { return key_of(pair, &place, has_case); });
  return make_list(std::move(items));
}

Value unique(V value, A arguments) {
  const bool has_case = truth(arguments, 0, "case_sensitive", false);
  const Value* attribute = argument(arguments, 1, "attribute");
  // Each is looked for among those before it.
  constexpr std::int64_t kMost = 10'000;
  if (length_of(value) > kMost) {
    throw Error(Code::kData, str("unique: more than ", kMost, " items"));
  }
  List out;
  List known;
  for (Value& item : items_of(value)) {
    Value key = key_of(item, attribute, has_case);
    const bool is_known =
        std::any_of(known.begin(), known.end(),
                    [&](const Value& each) { return equal(each, key); });
    if (is_known) continue;
    known.push_back(std::move(key));
    out.push_back(std::move(item));
  }
  return make_list(std::move(out));
}

auto extreme(int sign) {
  return [=](V value, A arguments) -> Value {
    const List items = items_of(value);
    if (items.empty()) return Undefined{"an item of nothing"};
    const bool has_case = truth(arguments, 0, "case_sensitive", false);
    const Value* attribute = argument(arguments, 1, "attribute");
    const Value* best = nullptr;
    for (const Value& item : items) {
      const bool is_better =
          best == nullptr ||
          sign * compare(key_of(item, attribute, has_case),
                         key_of(*best, attribute, has_case)) >
              0;
      if (is_better) best = &item;
    }
    return *best;
  };
}

Value sum(V value, A arguments) {
  const Value* attribute = argument(arguments, 0, "attribute");
  const Value* start = argument(arguments, 1, "start");
  Value out = start == nullptr ? Value(std::int64_t{0}) : *start;
  for (const Value& item : items_of(value)) {
    out = operate("+", out, key_of(item, attribute, /*has_case=*/true));
  }
  return out;
}

Value grouped(V value, A arguments) {
  const Value* attribute = argument(arguments, 0, "attribute");
  const Value* fallback = argument(arguments, 1, "default");
  const bool has_case = truth(arguments, 2, "case_sensitive", false);
  const auto key = [&](V item, bool keeps_case) {
    Value out = key_of(item, attribute, keeps_case);
    return out.is_undefined() && fallback != nullptr ? *fallback : out;
  };
  List items = items_of(value);
  sort_by(items, false, [&](V item) { return key(item, has_case); });
  List out;
  for (std::size_t i = 0; i < items.size();) {
    const Value name = key(items[i], has_case);
    const Value shown = key(items[i], /*keeps_case=*/true);
    List group;
    for (; i < items.size() && equal(key(items[i], has_case), name); ++i) {
      group.push_back(items[i]);
    }
    out.push_back(
        make_list({shown, make_list(std::move(group))}, ListKind::kGroup));
  }
  return make_list(std::move(out));
}

Value batched(V value, A arguments) {
  const std::int64_t count = integer(arguments, 0, "linecount", 0);
  const Value* filling = argument(arguments, 1, "fill_with");
  if (count < 1) throw Error(Code::kData, "batch needs a number above 0");
  List out;
  List row;
  for (Value& item : items_of(value)) {
    if (std::ssize(row) == count) {
      out.push_back(make_list(std::exchange(row, {})));
    }
    row.push_back(std::move(item));
  }
  if (row.empty()) return make_list(std::move(out));
  if (filling != nullptr && !filling->is_none() && count < 100'000) {
    row.resize(static_cast<std::size_t>(count), *filling);
  }
  out.push_back(make_list(std::move(row)));
  return make_list(std::move(out));
}

Value sliced(V value, A arguments) {
  const std::int64_t count = integer(arguments, 0, "slices", 0);
  const Value* filling = argument(arguments, 1, "fill_with");
  if (count < 1 || count > 100'000) {
    throw Error(Code::kData, "slice needs a number from 1 to 100000");
  }
  const List items = items_of(value);
  const std::int64_t each = std::ssize(items) / count;
  const std::int64_t longer = std::ssize(items) % count;
  List out;
  auto from = items.begin();
  for (std::int64_t i = 0; i < count; ++i) {
    const auto to = from + each + (i < longer ? 1 : 0);
    List part(from, to);
    from = to;
    if (filling != nullptr && !filling->is_none() && i >= longer) {
      part.push_back(*filling);
    }
    out.push_back(make_list(std::move(part)));
  }
  return make_list(std::move(out));
}

Value first(V value, A) {
  const List items = items_of(value);
  return items.empty() ? Value(Undefined{"the first item"}) : items.front();
}
Value last(V value, A) {
  const List items = items_of(value);
  return items.empty() ? Value(Undefined{"the last item"}) : items.back();
}

Value reversed(V value, A) {
  List items = items_of(value);
  std::reverse(items.begin(), items.end());
  if (value.as<Text>() == nullptr) return make_list(std::move(items));
  Text out;
  for (const Value& item : items) out += *item.as<Text>();
  return out;
}

}  // namespace

void add_list_filters(std::map<std::string, Filter>& to) {
  const Signature open{{}, 0, true};
  const Signature by_case{{"case_sensitive", "attribute"}};
  to.insert({
      {"join", {{{"d", "attribute"}}, join}},
      {"list", {{}, [](V v, A) { return make_list(items_of(v)); }}},
      {"items", {{}, [](V v, A) { return pairs_of(v); }}},
      {"attr",
       {{{"name"}, 1},
        [](V v, A a) {
          return attribute(v, to_text(*argument(a, 0, "name")).bytes());
        }}},
      {"first", {{}, first}},
      {"last", {{}, last}},
      {"reverse", {{}, reversed}},
      {"sort", {{{"reverse", "case_sensitive", "attribute"}}, sorted}},
      {"dictsort", {{{"case_sensitive", "by", "reverse"}}, sorted_map}},
      {"unique", {by_case, unique}},
      {"min", {by_case, extreme(-1)}},
      {"max", {by_case, extreme(1)}},
      {"sum", {{{"attribute", "start"}}, sum}},
      {"groupby", {{{"attribute", "default", "case_sensitive"}, 1}, grouped}},
      {"batch", {{{"linecount", "fill_with"}, 1}, batched}},
      {"slice", {{{"slices", "fill_with"}, 1}, sliced}},
      {"map", {open, mapped}},
      {"select", {open, choosing(false, true)}},
      {"reject", {open, choosing(false, false)}},
      {"selectattr", {open, choosing(true, true)}},
      {"rejectattr", {open, choosing(true, false)}},
  });
}

}  // namespace penstock::gemma::jinja
