// `x is NAME`.
#include <functional>
#include <map>

#include "gemma/jinja/builtins.h"
#include "penstock/error.h"

namespace penstock::gemma::jinja {
namespace {

using Test = std::function<bool(const Value&, const Arguments&)>;

std::int64_t remainder(const Value& value, std::int64_t by) {
  const Value out = operate("%", value, by);
  const auto* integer = out.as<std::int64_t>();
  return integer == nullptr ? -1 : *integer;
}

Test comparing(const char* word) {
  return [word](const Value& value, const Arguments& arguments) {
    const Value* other = argument(arguments, 0, "other");
    if (other == nullptr) throw Error(Code::kData, "a test needs a value");
    return is_true(operate(word, value, *other));
  };
}

/// Whether it has letters, all of them as the filter leaves them.
bool is_case(const Value& value, const char* same, const char* other) {
  return value.as<Text>() != nullptr && equal(filter(same, value, {}), value) &&
         !equal(filter(other, value, {}), value);
}

const std::map<std::string, Test>& tests() {
  static const std::map<std::string, Test> table{
      {"defined", [](const auto& v, const auto&) { return !v.is_undefined(); }},
      {"undefined",
       [](const auto& v, const auto&) { return v.is_undefined(); }},
      {"none", [](const auto& v, const auto&) { return v.is_none(); }},
      {"string", [](const auto& v,
                    const auto&) { return v.template as<Text>() != nullptr; }},
      {"number", [](const auto& v, const auto&) { return is_number(v); }},
      {"boolean", [](const auto& v,
                     const auto&) { return v.template as<bool>() != nullptr; }},
      {"integer",
       [](const auto& v, const auto&) {
         return v.template as<std::int64_t>() != nullptr;
       }},
      {"float", [](const auto& v,
                   const auto&) { return v.template as<double>() != nullptr; }},
      {"mapping",
       [](const auto& v, const auto&) { return v.map() != nullptr; }},
      {"iterable",
       [](const auto& v, const auto&) {
         return v.map() != nullptr || v.list() != nullptr ||
                v.template as<Text>() != nullptr || v.is_undefined();
       }},
      {"sequence",
       [](const auto& v, const auto&) {
         return v.map() != nullptr || v.list() != nullptr ||
                v.template as<Text>() != nullptr || v.is_undefined();
       }},
      {"callable",
       [](const auto& v, const auto&) { return kind(v) == "a function"; }},
      {"true",
       [](const auto& v, const auto&) {
         return v.template as<bool>() != nullptr && is_true(v);
       }},
      {"false",
       [](const auto& v, const auto&) {
         return v.template as<bool>() != nullptr && !is_true(v);
       }},
      {"odd", [](const auto& v, const auto&) { return remainder(v, 2) == 1; }},
      {"even", [](const auto& v, const auto&) { return remainder(v, 2) == 0; }},
      {"divisibleby",
       [](const auto& v, const auto& arguments) {
         return remainder(v, integer(arguments, 0, "num", 0)) == 0;
       }},
      {"in",
       [](const auto& v, const auto& arguments) {
         const Value* all = argument(arguments, 0, "seq");
         return all != nullptr && contains(*all, v);
       }},
      {"lower",
       [](const auto& v, const auto&) { return is_case(v, "lower", "upper"); }},
      {"upper",
       [](const auto& v, const auto&) { return is_case(v, "upper", "lower"); }},
      {"equalto", comparing("==")},
      {"eq", comparing("==")},
      {"ne", comparing("!=")},
      {"lt", comparing("<")},
      {"le", comparing("<=")},
      {"gt", comparing(">")},
      {"ge", comparing(">=")},
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
  return found->second(on, arguments);
}

}  // namespace penstock::gemma::jinja
