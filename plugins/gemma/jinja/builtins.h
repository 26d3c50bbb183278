// What templates find ready: functions, filters, tests, methods of values.
#pragma once

#include <ctime>
#include <string>
#include <vector>

#include "gemma/jinja/value.h"

namespace penstock::gemma::jinja {

/// What may stand between the brackets of a call.
struct Signature {
  /// In order; one that begins with '.' cannot be given by its name.
  std::vector<std::string> names = {};
  std::size_t required = 0;
  bool takes_more = false;  ///< any other argument is somebody else's matter
};
/// Throws Error(kData) that says which argument `what`, such as "filter
/// 'trim'", does not know or lacks.
void check(const Signature& signature, const std::string& what,
           const Arguments& arguments);
/// A function that checks its arguments.
[[nodiscard]] Value make_function(const std::string& what, Signature signature,
                                  Function function);

/// Argument `index`, or that of the name; null: not given.
[[nodiscard]] const Value* argument(const Arguments& arguments,
                                    std::size_t index, std::string_view name);
/// The same as an integer; `fallback` where it is not given, or none.
[[nodiscard]] std::int64_t integer(const Arguments& arguments,
                                   std::size_t index, std::string_view name,
                                   std::int64_t fallback);
/// The same as a truth.
[[nodiscard]] bool truth(const Arguments& arguments, std::size_t index,
                         std::string_view name, bool fallback);
/// What a loop goes through: items, keys, characters. Throws Error(kData) for
/// what has none.
[[nodiscard]] List items_of(const Value& value);
/// How many, without making them.
[[nodiscard]] std::int64_t length_of(const Value& value);
/// A member by key, or by place in a list; Undefined where there is none.
[[nodiscard]] Value member(const Value& of, const Value& key);
/// `of.name`: a method, or else a member.
[[nodiscard]] Value attribute(const Value& of, const std::string& name);
/// Keys and values of a map, as pairs.
[[nodiscard]] Value pairs_of(const Value& map);

/// The functions; `now`: of strftime_now.
void add_functions(Map& to, std::time_t now);
/// These throw Error(kData) for names that are unknown.
[[nodiscard]] Value filter(const std::string& name, const Value& on,
                           const Arguments& arguments);
[[nodiscard]] bool has_filter(const std::string& name);
[[nodiscard]] bool test(const std::string& name, const Value& on,
                        const Arguments& arguments);
/// A method, or Undefined.
[[nodiscard]] Value method(const Value& of, const std::string& name);
/// `a word b`; not `and`, `or`.
[[nodiscard]] Value operate(const std::string& word, const Value& a,
                            const Value& b);
[[nodiscard]] bool contains(const Value& all, const Value& one);
/// `format % values`, as Python's.
[[nodiscard]] Text percent(const Text& format, const Value& values);
/// `format.format(...)`, as Python's.
[[nodiscard]] Text formatted(const Text& format, const Arguments& arguments);

/// As Python's json.dumps() writes it.
struct JsonStyle {
  bool is_ascii = false, is_sorted = false;
  bool has_lines = false;
  Text indent;  ///< of a level, where there are lines
  Text between = Text(", "), after_key = Text(": ");
};
[[nodiscard]] Text to_json(const Value& value, const JsonStyle& style);

}  // namespace penstock::gemma::jinja
