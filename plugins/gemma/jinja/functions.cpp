// Functions that templates find ready.
#include <array>
#include <cstdlib>
#include <utility>

#include "gemma/jinja/builtins.h"
#include "penstock/error.h"

namespace penstock::gemma::jinja {
namespace {

using A = const Arguments&;

constexpr std::int64_t kMostRange = 100'000;
/// Each is looked for among those before it.
constexpr std::int64_t kMostPairs = 10'000;
constexpr std::int64_t kMostNumber = std::int64_t{1} << 60;

Value range(A arguments) {
  std::int64_t from = integer(arguments, 0, "start", 0);
  std::int64_t to = integer(arguments, 1, "stop", 0);
  const std::int64_t step = integer(arguments, 2, "step", 1);
  if (arguments.plain.size() == 1) to = std::exchange(from, 0);
  if (step == 0) throw Error(Code::kData, "range: the step is 0");
  for (const std::int64_t each : {from, to, step}) {
    if (std::abs(each) > kMostNumber) {
      throw Error(Code::kData, "range: a number is too large");
    }
  }
  List out;
  for (std::int64_t i = from; step > 0 ? i < to : i > to; i += step) {
    if (std::ssize(out) == kMostRange) {
      throw Error(Code::kData,
                  str("range: more than ", kMostRange, " numbers"));
    }
    out.emplace_back(i);
  }
  return make_list(std::move(out));
}

Value raise(A arguments) {
  throw Error(Code::kData,
              str("the template says: ",
                  to_text(*argument(arguments, 0, "message")).bytes()));
}

/// A map, or pairs, and what is named beside it.
Dict members_of(A arguments) {
  Dict out;
  if (arguments.plain.size() > 1) {
    throw Error(Code::kData, "dict and namespace take one map or list");
  }
  for (const Value& from : arguments.plain) {
    if (from.map() != nullptr) {
      out = *from.map();
      continue;
    }
    if (length_of(from) > kMostPairs) {
      throw Error(Code::kData, str("dict: more than ", kMostPairs, " pairs"));
    }
    for (const Value& pair : items_of(from)) {
      const List two = items_of(pair);
      if (two.size() != 2) throw Error(Code::kData, "dict needs pairs");
      put(out, two[0], two[1]);
    }
  }
  for (const auto& [key, value] : arguments.named) put(out, text(key), value);
  return out;
}

Value time_text(std::time_t now, A arguments) {
  std::tm parts{};
  localtime_r(&now, &parts);
  std::array<char, 512> out{};
  const std::string given = to_text(*argument(arguments, 0, "format")).bytes();
  const auto size =
      std::strftime(out.data(), out.size(), given.c_str(), &parts);
  return text(std::string(out.data(), size));
}

/// Nothing at the first call, then the separator.
Value joiner(A arguments) {
  const Value* given = argument(arguments, 0, "sep");
  return make_function("joiner", {},
                       [separator = given == nullptr ? text(", ") : *given,
                        is_used = std::make_shared<bool>(false)](A) -> Value {
                         return std::exchange(*is_used, true) ? separator
                                                              : text("");
                       });
}

}  // namespace

void add_functions(Map& to, std::time_t now) {
  const auto add = [&](const char* name, Signature signature,
                       Function function) {
    to.emplace_back(
        name, make_function(name, std::move(signature), std::move(function)));
  };
  add("range", {{".start", ".stop", ".step"}, 1}, range);
  add("raise_exception", {{"message"}, 1}, raise);
  add("namespace", {{}, 0, true}, [](A a) -> Value {
    return Mapping{.map = std::make_shared<Dict>(members_of(a)),
                   .is_namespace = true};
  });
  add("dict", {{}, 0, true}, [](A a) { return make_map(members_of(a)); });
  add("strftime_now", {{"format"}, 1},
      [now](A a) { return time_text(now, a); });
  add("joiner", {{"sep"}}, joiner);
}

}  // namespace penstock::gemma::jinja
