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
/// Values by name: variables, named arguments.
using Map = std::vector<std::pair<std::string, Value>>;
/// In order of insertion.
using Dict = std::vector<std::pair<Value, Value>>;

struct Undefined {
  std::string name;  ///< of what was looked for
};
struct None {};
/// kGroup: a tuple of what groupby made, a grouper and its list.
enum class ListKind { kList, kTuple, kGroup, kItems, kKeys, kValues };
struct Listing {
  std::shared_ptr<const List> items;
  ListKind kind = ListKind::kList;
};
/// Arguments of a call; those with a name after those without.
struct Arguments {
  List plain;
  Map named;
};
using Function = std::function<Value(const Arguments&)>;
struct Mapping {
  std::shared_ptr<Dict> map;
  bool is_namespace = false;
  std::shared_ptr<const Function> call = nullptr;  ///< of `loop`
};

struct Value {
  std::variant<Undefined, None, bool, std::int64_t, double, Text, Listing,
               Mapping, std::shared_ptr<const Function>>
      data;

  Value() = default;
  template <class T>
  Value(T value) : data(std::move(value)) {}  // NOLINT: as literals read

  template <class T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&data);
  }
  [[nodiscard]] const List* list() const {
    const auto* found = as<Listing>();
    return found == nullptr ? nullptr : found->items.get();
  }
  [[nodiscard]] const Dict* map() const {
    const auto* found = as<Mapping>();
    return found == nullptr ? nullptr : found->map.get();
  }
  [[nodiscard]] bool is_undefined() const { return as<Undefined>() != nullptr; }
  [[nodiscard]] bool is_none() const { return as<None>() != nullptr; }
};

[[nodiscard]] Value text(std::string bytes);  ///< of the template
[[nodiscard]] Value make_list(List items, ListKind kind = ListKind::kList);
[[nodiscard]] Value make_map(Dict members);
[[nodiscard]] Value make_function(Function function);
/// Every text in it, keys too, is content.
[[nodiscard]] Value from_json(const JsonValue& json);
/// The members of an object as variables.
[[nodiscard]] Map variables_of(const JsonValue& object);

/// What stands under that name or key, or null.
[[nodiscard]] const Value* find(const Map& map, std::string_view name);
[[nodiscard]] const Value* find(const Dict& map, const Value& key);
[[nodiscard]] const Value* find(const Dict& map, std::string_view key);
/// Replaces what stands under the key, in its place, or adds it. Throws
/// Error(kData) for what can be no key.
void put(Dict& map, const Value& key, Value value);
[[nodiscard]] bool is_true(const Value& value);
/// "a text", "a list": for messages.
[[nodiscard]] std::string kind(const Value& value);
[[nodiscard]] bool is_number(const Value& value);
/// An integer, or a boolean, which is 0 or 1.
[[nodiscard]] bool is_whole(const Value& value);
[[nodiscard]] std::int64_t whole(const Value& value);
[[nodiscard]] double number(const Value& value);
[[nodiscard]] bool equal(const Value& a, const Value& b);
/// Below 0, 0, above 0; throws Error(kData) for what has no order.
[[nodiscard]] int compare(const Value& a, const Value& b);
/// As Python's str() writes it; what is undefined is nothing.
[[nodiscard]] Text to_text(const Value& value);
/// As Python's repr() writes it.
[[nodiscard]] Text repr(const Value& value);

}  // namespace penstock::gemma::jinja
