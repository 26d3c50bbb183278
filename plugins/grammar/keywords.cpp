#include "grammar/keywords.h"

#include <algorithm>

namespace penstock::grammar {

bool has_key(const JsonView& schema, std::string_view key) {
  const auto* members = std::get_if<JsonValue::Object>(&schema.value().data);
  return members != nullptr &&
         std::any_of(members->begin(), members->end(),
                     [&](const auto& each) { return each.key == key; });
}

std::string_view decider(const JsonView& schema) {
  const auto* const found =
      std::find_if(kAlone.begin(), kAlone.end(),
                   [&](auto key) { return has_key(schema, key); });
  return found == kAlone.end() ? std::string_view() : *found;
}

std::vector<std::string> types_of(const JsonView& schema) {
  if (!schema.is_object()) return {};
  std::vector<std::string> out;
  const auto type = schema.find("type");
  if (!type) {
    for (const std::string_view kind : {"object", "array", "string"}) {
      const Keys& keys = kBounds.at(kind);
      const bool is_it =
          std::any_of(keys.begin(), keys.end(), [&](std::string_view key) {
            return (kOne.contains(key) || kLists.contains(key) ||
                    key == "properties" || key == "patternProperties") &&
                   has_key(schema, key);
          });
      if (is_it) return {std::string(kind)};
    }
    return out;
  }
  if (type->is_array()) {
    for (const JsonView& each : type->items()) out.push_back(each.text());
    if (out.empty()) type->fail("names no type");
  } else {
    out.push_back(type->text());
  }
  for (const std::string& each : out) {
    if (!kBounds.contains(each)) {
      type->fail("is the unknown type '" + each + "'");
    }
  }
  return out;
}

std::string_view type_of(const JsonValue& value) {
  constexpr std::array<std::string_view, 7> kNames{
      "null", "boolean", "integer", "number", "string", "array", "object"};
  return kNames.at(value.data.index());
}

std::vector<JsonView> values_of(const JsonView& schema) {
  if (const auto list = schema.find("enum")) return list->items();
  for (const auto& [key, value] : schema.members()) {
    if (key == "const") return {value};
  }
  return {};
}

}  // namespace penstock::grammar
