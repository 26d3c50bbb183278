#include "gemma/jinja/builtins.h"

#include <algorithm>

#include "penstock/error.h"

namespace penstock::gemma::jinja {

void check(const Signature& signature, const std::string& what,
           const Arguments& arguments) {
  const auto& names = signature.names;
  const std::size_t count = arguments.plain.size();
  if (count > names.size() && !signature.takes_more) {
    throw Error(Code::kData,
                str(what, " takes ", names.size(), " arguments, not ", count));
  }
  for (const auto& [name, value] : arguments.named) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end() && !signature.takes_more) {
      throw Error(Code::kData, str(what, " has no argument '", name, "'"));
    }
    if (found != names.end() &&
        static_cast<std::size_t>(found - names.begin()) < count) {
      throw Error(Code::kData, str(what, " has argument '", name, "' twice"));
    }
  }
  for (std::size_t i = count; i < signature.required; ++i) {
    if (find(arguments.named, names[i]) == nullptr) {
      const bool has_name = names[i][0] != '.';
      throw Error(Code::kData, str(what, " needs argument '",
                                   names[i].substr(has_name ? 0 : 1), "'"));
    }
  }
}

Value make_function(const std::string& what, Signature signature,
                    Function function) {
  return make_function(
      [what, signature = std::move(signature),
       function = std::move(function)](const Arguments& arguments) {
        check(signature, what, arguments);
        return function(arguments);
      });
}

const Value* argument(const Arguments& arguments, std::size_t index,
                      std::string_view name) {
  if (index < arguments.plain.size()) return &arguments.plain[index];
  return find(arguments.named, name);
}

std::int64_t integer(const Arguments& arguments, std::size_t index,
                     std::string_view name, std::int64_t fallback) {
  const Value* found = argument(arguments, index, name);
  if (found == nullptr || found->is_none()) return fallback;
  if (is_whole(*found)) return whole(*found);
  throw Error(Code::kData,
              str("'", name, "' is ", kind(*found), ", expected an integer"));
}

bool truth(const Arguments& arguments, std::size_t index, std::string_view name,
           bool fallback) {
  const Value* found = argument(arguments, index, name);
  return found == nullptr ? fallback : is_true(*found);
}

List items_of(const Value& value) {
  if (const auto* list = value.list()) return *list;
  List out;
  const auto* mapping = value.as<Mapping>();
  if (mapping != nullptr && !mapping->is_namespace) {
    for (const auto& [key, member] : *mapping->map) out.push_back(key);
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

Value member(const Value& of, const Value& key) {
  if (const auto* nothing = of.as<Undefined>()) {
    throw Error(Code::kData, str("'", nothing->name, "' is undefined"));
  }
  if (const auto* map = of.map()) {
    const Value* found = find(*map, key);
    if (found != nullptr) return *found;
  } else if (is_whole(key) &&
             (of.list() != nullptr || of.as<Text>() != nullptr)) {
    const std::int64_t size = length_of(of);
    const std::int64_t at = whole(key) < 0 ? whole(key) + size : whole(key);
    if (at >= 0 && at < size) {
      const auto i = static_cast<std::size_t>(at);
      if (of.list() != nullptr) return (*of.list())[i];
      const auto bytes = of.as<Text>()->characters();
      return of.as<Text>()->part(bytes[i], bytes[i + 1] - bytes[i]);
    }
  }
  const auto* name = key.as<Text>();
  if (name != nullptr) return Undefined{name->bytes()};
  return Undefined{str("item ", to_text(key).bytes())};
}

Value attribute(const Value& of, const std::string& name) {
  Value found = method(of, name);
  return found.is_undefined() ? member(of, text(name)) : std::move(found);
}

Value pairs_of(const Value& map) {
  List out;
  if (map.is_undefined()) return make_list(std::move(out));
  if (map.map() == nullptr) {
    throw Error(Code::kData, str(kind(map), " has no keys and values"));
  }
  for (const auto& [key, value] : *map.map()) {
    out.push_back(make_list({key, value}, ListKind::kTuple));
  }
  return make_list(std::move(out), ListKind::kItems);
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
  if (const auto* map = all.map()) return find(*map, one) != nullptr;
  const List items = items_of(all);
  return std::any_of(items.begin(), items.end(),
                     [&](const Value& item) { return equal(item, one); });
}

}  // namespace penstock::gemma::jinja
