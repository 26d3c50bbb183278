// `x is NAME`.
#include <functional>
#include <map>

#include "gemma/jinja/builtins.h"
#include "gemma/jinja/letters.h"
#include "penstock/error.h"

namespace penstock::gemma::jinja {
namespace {

using V = const Value&;
using A = const Arguments&;

struct Test {
  Signature signature;
  std::function<bool(V, A)> call;
};

bool is_remainder(V value, V by, std::int64_t wanted) {
  return equal(operate("%", value, by), wanted);
}

Test comparing(const char* word) {
  return {
      {{"other"}, 1}, [word](V value, A arguments) {
        return is_true(operate(word, value, *argument(arguments, 0, "other")));
      }};
}

bool is_same(V value, V other) {
  if (value.data.index() != other.data.index()) return false;
  if (value.map() != nullptr) return value.map() == other.map();
  if (value.list() != nullptr) return value.list() == other.list();
  return equal(value, other);
}

template <class T>
bool is_a(V value, A) {
  return value.as<T>() != nullptr;
}

bool has_items(V value, A) {
  return value.map() != nullptr || value.list() != nullptr ||
         value.as<Text>() != nullptr || value.is_undefined();
}

bool is_mapping(V value, A) {
  const auto* mapping = value.as<Mapping>();
  return mapping != nullptr && !mapping->is_namespace;
}

bool is_callable(V value, A) {
  const auto* mapping = value.as<Mapping>();
  return value.as<std::shared_ptr<const Function>>() != nullptr ||
         (mapping != nullptr && mapping->call != nullptr);
}

const std::map<std::string, Test>& tests();

// lint: long, a table
const std::map<std::string, Test>& tests() {
  static const std::map<std::string, Test> table{
      {"defined", {{}, [](V v, A) { return !v.is_undefined(); }}},
      {"undefined", {{}, [](V v, A) { return v.is_undefined(); }}},
      {"none", {{}, [](V v, A) { return v.is_none(); }}},
      {"string", {{}, is_a<Text>}},
      {"number", {{}, [](V v, A) { return is_number(v); }}},
      {"boolean", {{}, is_a<bool>}},
      {"integer", {{}, is_a<std::int64_t>}},
      {"float", {{}, is_a<double>}},
      {"mapping", {{}, is_mapping}},
      {"iterable", {{}, has_items}},
      {"sequence", {{}, has_items}},
      {"callable", {{}, is_callable}},
      {"true", {{}, [](V v, A a) { return is_a<bool>(v, a) && is_true(v); }}},
      {"false", {{}, [](V v, A a) { return is_a<bool>(v, a) && !is_true(v); }}},
      {"odd", {{}, [](V v, A) { return is_remainder(v, std::int64_t{2}, 1); }}},
      {"even",
       {{}, [](V v, A) { return is_remainder(v, std::int64_t{2}, 0); }}},
      {"divisibleby",
       {{{"num"}, 1},
        [](V v, A a) { return is_remainder(v, *argument(a, 0, "num"), 0); }}},
      {"in",
       {{{"seq"}, 1},
        [](V v, A a) { return contains(*argument(a, 0, "seq"), v); }}},
      {"sameas",
       {{{"other"}, 1},
        [](V v, A a) { return is_same(v, *argument(a, 0, "other")); }}},
      {"escaped", {{}, [](V, A) { return false; }}},
      {"lower", {{}, [](V v, A) { return is_lower(to_text(v)); }}},
      {"upper", {{}, [](V v, A) { return is_upper(to_text(v)); }}},
      {"filter", {{}, [](V v, A) { return has_filter(to_text(v).bytes()); }}},
      {"test",
       {{}, [](V v, A) { return tests().contains(to_text(v).bytes()); }}},
      {"equalto", comparing("==")},
      {"eq", comparing("==")},
      {"==", comparing("==")},
      {"ne", comparing("!=")},
      {"!=", comparing("!=")},
      {"lt", comparing("<")},
      {"lessthan", comparing("<")},
      {"<", comparing("<")},
      {"le", comparing("<=")},
      {"<=", comparing("<=")},
      {"gt", comparing(">")},
      {"greaterthan", comparing(">")},
      {">", comparing(">")},
      {"ge", comparing(">=")},
      {">=", comparing(">=")},
  };
  return table;
}

}  // namespace

bool test(const std::string& name, const Value& on,
          const Arguments& arguments) {
  const auto found = tests().find(name);
  if (found == tests().end()) {
    throw Error(Code::kData, str("there is no test '", name, "'"));
  }
  check(found->second.signature, "test '" + name + "'", arguments);
  return found->second.call(on, arguments);
}

}  // namespace penstock::gemma::jinja
