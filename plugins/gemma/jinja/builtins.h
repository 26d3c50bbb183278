// What templates find ready: filters, tests, methods of texts and maps.
#pragma once

#include <string>

#include "gemma/jinja/value.h"

namespace penstock::gemma::jinja {

/// Argument `index`, or that of the name; null: not given.
[[nodiscard]] const Value* argument(const Arguments& arguments,
                                    std::size_t index, std::string_view name);
/// The same as an integer; `fallback` where it is not given.
[[nodiscard]] std::int64_t integer(const Arguments& arguments,
                                   std::size_t index, std::string_view name,
                                   std::int64_t fallback);
/// What a loop goes through: items, keys, characters. Throws Error(kData) for
/// what has none.
[[nodiscard]] List items_of(const Value& value);
/// How many, without making them.
[[nodiscard]] std::int64_t length_of(const Value& value);
/// A member by key or attribute; Undefined where there is none.
[[nodiscard]] Value member(const Value& of, const std::string& name);

/// These throw Error(kData) for names that are unknown.
[[nodiscard]] Value filter(const std::string& name, const Value& on,
                           const Arguments& arguments);
[[nodiscard]] bool test(const std::string& name, const Value& on,
                        const Arguments& arguments);
/// A method of a text or map, or Undefined.
[[nodiscard]] Value method(const Value& of, const std::string& name);
/// `a word b`; not `and`, `or`.
[[nodiscard]] Value operate(const std::string& word, const Value& a,
                            const Value& b);
[[nodiscard]] bool contains(const Value& all, const Value& one);

}  // namespace penstock::gemma::jinja
