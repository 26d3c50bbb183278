#include "gemma/jinja/value.h"

#include <algorithm>
#include <cmath>

#include "penstock/error.h"

namespace penstock::gemma::jinja {

Value text(std::string bytes) { return Text(std::move(bytes)); }
Value make_list(List items) {
  return std::make_shared<const List>(std::move(items));
}
Value make_map(Map members) {
  return Mapping{.map = std::make_shared<Map>(std::move(members))};
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
      Map out;
      for (const auto& [key, member] : members) {
        out.emplace_back(key, from_json(member));
      }
      return make_map(std::move(out));
    }
  };
  return std::visit(Make(), json.data);
}

const Value* find(const Map& map, std::string_view key) {
  for (const auto& [name, value] : map) {
    if (name == key) return &value;
  }
  return nullptr;
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
  return names.at(value.data.index());
}

bool is_number(const Value& value) {
  return value.as<bool>() != nullptr || value.as<std::int64_t>() != nullptr ||
         value.as<double>() != nullptr;
}

double number(const Value& value) {
  if (const auto* truth = value.as<bool>()) return *truth ? 1 : 0;
  if (const auto* integer = value.as<std::int64_t>()) {
    return static_cast<double>(*integer);
  }
  const auto* real = value.as<double>();
  return real == nullptr ? std::nan("") : *real;
}

bool equal(const Value& a, const Value& b) {
  if (is_number(a) && is_number(b)) return number(a) == number(b);
  if (a.data.index() != b.data.index()) return false;
  if (const auto* string = a.as<Text>()) {
    return string->bytes() == b.as<Text>()->bytes();
  }
  if (const auto* list = a.list()) {
    return std::equal(list->begin(), list->end(), b.list()->begin(),
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

int compare(const Value& a, const Value& b) {
  if (is_number(a) && is_number(b)) {
    const double difference = number(a) - number(b);
    return difference < 0 ? -1 : static_cast<int>(difference > 0);
  }
  const auto* left = a.as<Text>();
  const auto* right = b.as<Text>();
  if (left != nullptr && right != nullptr) {
    return left->bytes().compare(right->bytes());
  }
  throw Error(Code::kData, str("cannot compare ", kind(a), " with ", kind(b)));
}

}  // namespace penstock::gemma::jinja
