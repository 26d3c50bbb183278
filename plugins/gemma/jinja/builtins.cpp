#include "gemma/jinja/builtins.h"

#include <algorithm>

#include "penstock/error.h"

namespace penstock::gemma::jinja {

const Value* argument(const Arguments& arguments, std::size_t index,
                      std::string_view name) {
  if (index < arguments.plain.size()) return &arguments.plain[index];
  return find(arguments.named, name);
}

std::int64_t integer(const Arguments& arguments, std::size_t index,
                     std::string_view name, std::int64_t fallback) {
  const Value* found = argument(arguments, index, name);
  if (found == nullptr || found->is_none()) return fallback;
  if (const auto* truth = found->as<bool>()) return *truth ? 1 : 0;
  const auto* value = found->as<std::int64_t>();
  if (value == nullptr) {
    throw Error(Code::kData,
                str("'", name, "' is ", kind(*found), ", expected an integer"));
  }
  return *value;
}

List items_of(const Value& value) {
  if (const auto* list = value.list()) return *list;
  List out;
  if (const auto* map = value.map()) {
    for (const auto& [key, member] : *map) {
      out.emplace_back(Text(key, /*is_content=*/true));
    }
  } else if (const auto* text = value.as<Text>()) {
    const auto at = text->characters();
    for (std::size_t i = 0; i + 1 < at.size(); ++i) {
      out.emplace_back(text->part(at[i], at[i + 1] - at[i]));
    }
  } else if (!value.is_undefined()) {
    throw Error(Code::kData, str(kind(value), " has no items"));
  }
  return out;
}

std::int64_t length_of(const Value& value) {
  if (const auto* list = value.list()) return std::ssize(*list);
  if (const auto* map = value.map()) return std::ssize(*map);
  if (const auto* text = value.as<Text>()) {
    return std::ssize(text->characters()) - 1;
  }
  if (value.is_undefined()) return 0;
  throw Error(Code::kData, str(kind(value), " has no length"));
}

Value member(const Value& of, const std::string& name) {
  if (const auto* map = of.map()) {
    if (const Value* found = find(*map, name)) return *found;
  }
  if (const auto* nothing = of.as<Undefined>()) {
    throw Error(Code::kData, str("'", nothing->name, "' is undefined"));
  }
  return Undefined{name};
}

bool contains(const Value& all, const Value& one) {
  if (const auto* text = all.as<Text>()) {
    const auto* part = one.as<Text>();
    if (part == nullptr) {
      throw Error(Code::kData,
                  str("'in' a text needs a text, not ", kind(one)));
    }
    return text->bytes().find(part->bytes()) != std::string::npos;
  }
  if (const auto* map = all.map()) {
    const auto* key = one.as<Text>();
    return key != nullptr && find(*map, key->bytes()) != nullptr;
  }
  const List items = items_of(all);
  return std::any_of(items.begin(), items.end(),
                     [&](const Value& item) { return equal(item, one); });
}

}  // namespace penstock::gemma::jinja
