// Values of a template while it runs: Python's, as far as chat templates use
// them. Lists, maps and functions are shared, never changed (a namespace is).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gemma/jinja/text.h"
#include "penstock/json.h"

namespace penstock::gemma::jinja {

struct Value;
using List = std::vector<Value>;
/// In order of insertion.
using Map = std::vector<std::pair<std::string, Value>>;

struct Undefined {
  std::string name;  ///< of what was looked for
};
struct None {};
struct Mapping {
  std::shared_ptr<Map> map;
  bool is_namespace = false;
};
/// Arguments of a call; those with a name after those without.
struct Arguments {
  List plain;
  Map named;
};
using Function = std::function<Value(const Arguments&)>;

struct Value {
  std::variant<Undefined, None, bool, std::int64_t, double, Text,
               std::shared_ptr<const List>, Mapping,
               std::shared_ptr<const Function>>
      data;

  Value() = default;
  template <class T>
  Value(T value) : data(std::move(value)) {}  // NOLINT: as literals read

  template <class T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&data);
  }
  [[nodiscard]] const List* list() const {
    const auto* found = as<std::shared_ptr<const List>>();
    return found == nullptr ? nullptr : found->get();
  }
  [[nodiscard]] const Map* map() const {
    const auto* found = as<Mapping>();
    return found == nullptr ? nullptr : found->map.get();
  }
  [[nodiscard]] bool is_undefined() const { return as<Undefined>() != nullptr; }
  [[nodiscard]] bool is_none() const { return as<None>() != nullptr; }
};

[[nodiscard]] Value text(std::string bytes);  ///< of the template
[[nodiscard]] Value make_list(List items);
[[nodiscard]] Value make_map(Map members);
[[nodiscard]] Value make_function(Function function);
/// Every text in it, keys aside, is content.
[[nodiscard]] Value from_json(const JsonValue& json);

/// The member of that key, or null.
[[nodiscard]] const Value* find(const Map& map, std::string_view key);
[[nodiscard]] bool is_true(const Value& value);
/// "a text", "a list": for messages.
[[nodiscard]] std::string kind(const Value& value);
[[nodiscard]] bool is_number(const Value& value);
[[nodiscard]] double number(const Value& value);
[[nodiscard]] bool equal(const Value& a, const Value& b);
/// Below 0, 0, above 0; throws Error(kData) for what has no order.
[[nodiscard]] int compare(const Value& a, const Value& b);
/// As Python's str() writes it; what is undefined is nothing.
[[nodiscard]] Text to_text(const Value& value);
/// As Python's json.dumps() writes it; `indent` below 0: on one line.
[[nodiscard]] Text to_json(const Value& value, int indent = -1);

}  // namespace penstock::gemma::jinja
