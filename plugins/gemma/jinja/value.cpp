#include "gemma/jinja/value.h"

#include <algorithm>
#include <cmath>

#include "penstock/error.h"

namespace penstock::gemma::jinja {

Value text(std::string bytes) { return Text(std::move(bytes)); }
Value make_list(List items, ListKind kind) {
  return Listing{.items = std::make_shared<const List>(std::move(items)),
                 .kind = kind};
}
Value make_map(Dict members) {
  return Mapping{.map = std::make_shared<Dict>(std::move(members))};
}
Value make_function(Function function) {
  return std::make_shared<const Function>(std::move(function));
}

Value from_json(const JsonValue& json) {
  struct Make {
    Value operator()(std::monostate /*null*/) const { return None(); }
    Value operator()(bool value) const { return value; }
    Value operator()(std::int64_t value) const { return value; }
    Value operator()(double value) const { return value; }
    Value operator()(const std::string& value) const {
      return Text(value, /*is_content=*/true);
    }
    Value operator()(const JsonValue::Array& items) const {
      List out;
      for (const JsonValue& item : items) out.push_back(from_json(item));
      return make_list(std::move(out));
    }
    Value operator()(const JsonValue::Object& members) const {
      Dict out;
      for (const auto& [key, member] : members) {
        out.emplace_back(Text(key, /*is_content=*/true), from_json(member));
      }
      return make_map(std::move(out));
    }
  };
  return std::visit(Make(), json.data);
}

Map variables_of(const JsonValue& object) {
  Map out;
  for (const auto& [key, value] : std::get<JsonValue::Object>(object.data)) {
    out.emplace_back(key, from_json(value));
  }
  return out;
}

const Value* find(const Map& map, std::string_view name) {
  for (const auto& [key, value] : map) {
    if (key == name) return &value;
  }
  return nullptr;
}

const Value* find(const Dict& map, const Value& key) {
  for (const auto& [name, value] : map) {
    if (equal(name, key)) return &value;
  }
  return nullptr;
}

const Value* find(const Dict& map, std::string_view key) {
  for (const auto& [name, value] : map) {
    const auto* text = name.as<Text>();
    if (text != nullptr && text->bytes() == key) return &value;
  }
  return nullptr;
}

void put(Dict& map, const Value& key, Value value) {
  const auto* list = key.as<Listing>();
  const bool is_tuple = list != nullptr && list->kind == ListKind::kTuple;
  if (key.map() != nullptr || (list != nullptr && !is_tuple)) {
    throw Error(Code::kData, str(kind(key), " cannot be a key"));
  }
  for (auto& [name, held] : map) {
    if (!equal(name, key)) continue;
    held = std::move(value);
    return;
  }
  map.emplace_back(key, std::move(value));
}

bool is_true(const Value& value) {
  if (value.is_undefined() || value.is_none()) return false;
  if (is_number(value)) return number(value) != 0;
  if (const auto* string = value.as<Text>()) return string->size() > 0;
  if (const auto* list = value.list()) return !list->empty();
  const auto* map = value.as<Mapping>();
  return map == nullptr || map->is_namespace || !map->map->empty();
}

std::string kind(const Value& value) {
  static const std::vector<std::string> names{
      "undefined", "none",   "a boolean", "an integer", "a number",
      "a text",    "a list", "a map",     "a function"};
  const auto* list = value.as<Listing>();
  if (list != nullptr && list->kind == ListKind::kTuple) return "a tuple";
  return names.at(value.data.index());
}

bool is_number(const Value& value) {
  return is_whole(value) || value.as<double>() != nullptr;
}

bool is_whole(const Value& value) {
  return value.as<std::int64_t>() != nullptr || value.as<bool>() != nullptr;
}

std::int64_t whole(const Value& value) {
  if (const auto* truth = value.as<bool>()) return *truth ? 1 : 0;
  return *value.as<std::int64_t>();
}

double number(const Value& value) {
  if (is_whole(value)) return static_cast<double>(whole(value));
  const auto* real = value.as<double>();
  return real == nullptr ? std::nan("") : *real;
}

bool equal(const Value& a, const Value& b) {
  if (is_whole(a) && is_whole(b)) return whole(a) == whole(b);
  if (is_number(a) && is_number(b)) return number(a) == number(b);
  if (a.data.index() != b.data.index()) return false;
  if (const auto* string = a.as<Text>()) {
    return string->bytes() == b.as<Text>()->bytes();
  }
  if (const auto* list = a.list()) {
    return a.as<Listing>()->kind == b.as<Listing>()->kind &&
           std::equal(list->begin(), list->end(), b.list()->begin(),
                      b.list()->end(), equal);
  }
  if (const auto* map = a.map()) {
    return map->size() == b.map()->size() &&
           std::all_of(map->begin(), map->end(), [&](const auto& member) {
             const Value* other = find(*b.map(), member.first);
             return other != nullptr && equal(member.second, *other);
           });
  }
  return a.is_none() || a.is_undefined();
}

namespace {

template <class T>
int order(const T& a, const T& b) {
  return a < b ? -1 : static_cast<int>(b < a);
}

}  // namespace

int compare(const Value& a, const Value& b) {
  if (is_whole(a) && is_whole(b)) return order(whole(a), whole(b));
  if (is_number(a) && is_number(b)) return order(number(a), number(b));
  const auto* left = a.as<Text>();
  const auto* right = b.as<Text>();
  if (left != nullptr && right != nullptr) {
    return order(left->bytes().compare(right->bytes()), 0);
  }
  if (a.list() != nullptr && b.list() != nullptr && kind(a) == kind(b)) {
    const auto shorter = std::min(a.list()->size(), b.list()->size());
    for (std::size_t i = 0; i < shorter; ++i) {
      const Value& one = (*a.list())[i];
      const Value& other = (*b.list())[i];
      if (!equal(one, other)) return compare(one, other);
    }
    return order(a.list()->size(), b.list()->size());
  }
  throw Error(Code::kData, str("cannot compare ", kind(a), " with ", kind(b)));
}

}  // namespace penstock::gemma::jinja
