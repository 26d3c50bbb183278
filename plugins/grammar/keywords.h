// The keywords of JSON Schema that answers can be held to.
#pragma once

#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/json.h"

namespace penstock::grammar {

using Keys = std::set<std::string_view>;

/// Say nothing of the value.
inline const Keys kNotes{"$schema",    "$id",         "$comment", "title",
                         "default",    "description", "examples", "$defs",
                         "deprecated", "definitions", "readOnly", "writeOnly"};
/// Each decides alone what the value is.
inline constexpr std::array<std::string_view, 6> kAlone{
    "$ref", "const", "enum", "anyOf", "oneOf", "allOf"};
/// By type, what bounds it.
inline const std::map<std::string_view, Keys> kBounds{
    {"string", {"minLength", "maxLength", "pattern", "format"}},
    {"integer",
     {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
      "multipleOf"}},
    {"number", {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}},
    {"array",
     {"items", "prefixItems", "unevaluatedItems", "minItems", "maxItems"}},
    {"object",
     {"properties", "required", "additionalProperties", "patternProperties",
      "unevaluatedProperties", "propertyNames", "minProperties",
      "maxProperties"}},
    {"boolean", {}},
    {"null", {}}};
/// Whose values are schemas, or lists or maps of them.
inline const Keys kOne{"items", "additionalProperties", "unevaluatedProperties",
                       "unevaluatedItems", "propertyNames"};
inline const Keys kLists{"anyOf", "oneOf", "allOf", "prefixItems"};
inline const Keys kMaps{"properties", "patternProperties", "$defs",
                        "definitions"};

/// Also where it is null, as `const` may be.
[[nodiscard]] bool has_key(const JsonView& schema, std::string_view key);
/// The keyword that decides alone; "": none does.
[[nodiscard]] std::string_view decider(const JsonView& schema);
/// The types that the value may be of: as `type` says, else what other keywords
/// are about; none: it is not said. Throws for unknown ones.
[[nodiscard]] std::vector<std::string> types_of(const JsonView& schema);
[[nodiscard]] std::string_view type_of(const JsonValue& value);
/// The values that `enum` or `const` allow.
[[nodiscard]] std::vector<JsonView> values_of(const JsonView& schema);

}  // namespace penstock::grammar
