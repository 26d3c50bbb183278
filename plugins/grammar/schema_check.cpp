#include "grammar/schema_check.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "grammar/regex_check.h"
#include "grammar/schema_refs.h"
#include "penstock/error.h"
#include "penstock/json.h"

namespace penstock::grammar {
namespace {

constexpr JsonLimits kLimits{
    .bytes = std::size_t{64} << 10U, .depth = 64, .values = 20'000};
/// Of all strings together: with a large vocabulary each character takes some
/// 0.03 s to prepare.
constexpr std::int64_t kMostLength = 256;
constexpr std::int64_t kMostItems = 1'000;
constexpr std::size_t kMostEnum = 2'000;

using Keys = std::set<std::string_view>;

/// Say nothing of the value.
const Keys kNotes{"$schema", "$id",         "$comment", "title",
                  "default", "description", "examples", "deprecated",
                  "$defs",   "definitions", "readOnly", "writeOnly"};
/// Each decides alone what the value is.
const std::array<std::string_view, 6> kAlone{"$ref",  "const", "enum",
                                             "anyOf", "oneOf", "allOf"};
/// By type, what bounds it.
const std::map<std::string_view, Keys> kBounds{
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
const Keys kFormats{"email",         "date",
                    "time",          "date-time",
                    "duration",      "ipv4",
                    "ipv6",          "hostname",
                    "uuid",          "uri",
                    "uri-reference", "uri-template",
                    "json-pointer",  "relative-json-pointer"};
/// Whose values are schemas, or lists or maps of them.
const Keys kOne{"items", "additionalProperties", "unevaluatedProperties",
                "unevaluatedItems", "propertyNames"};
const Keys kLists{"anyOf", "oneOf", "allOf", "prefixItems"};
const Keys kMaps{"properties", "patternProperties", "$defs", "definitions"};

/// The types that the value may be of; none: it is not said.
std::vector<std::string> types_of(const JsonView& schema) {
  std::vector<std::string> out;
  const auto type = schema.find("type");
  if (!type) {
    for (const std::string_view kind : {"object", "array"}) {
      const Keys& keys = kBounds.at(kind);
      const bool is_it =
          std::any_of(keys.begin(), keys.end(), [&](std::string_view key) {
            return !key.starts_with("m") && key != "required" &&
                   key != "patternProperties" && key != "propertyNames" &&
                   schema.find(key).has_value();
          });
      if (is_it) return {std::string(kind)};
    }
    return out;
  }
  if (type->is_array()) {
    for (const JsonView& each : type->items()) out.push_back(each.text());
  } else {
    out.push_back(type->text());
  }
  for (const std::string& each : out) {
    if (!kBounds.contains(each))
      type->fail("is the unknown type '" + each + "'");
  }
  return out;
}

std::string type_of(const JsonValue& value) {
  constexpr std::array kNames{"null",   "boolean", "integer", "number",
                              "string", "array",   "object"};
  return kNames.at(value.data.index());
}

/// Values that stand in the schema must be of its types.
void check_values(const JsonView& schema,
                  const std::vector<std::string>& types) {
  std::vector<JsonView> values;
  if (const auto list = schema.find("enum")) values = list->items();
  if (const auto one = schema.find("const")) values.push_back(*one);
  if (values.size() > kMostEnum) {
    schema.fail(str("has an enum of ", values.size(), " values; the most is ",
                    kMostEnum));
  }
  for (const JsonView& value : values) {
    const std::string own = type_of(value.value());
    const bool fits =
        types.empty() ||
        std::any_of(types.begin(), types.end(), [&](const auto& type) {
          return type == own || (type == "number" && own == "integer");
        });
    if (!fits) value.fail("is of the type " + own + ", which `type` excludes");
  }
}

void check_bound(const JsonView& value, std::string_view key) {
  if (key.ends_with("Length")) (void)value.integer(0, kMostLength);
  if (key.ends_with("Items") && key.starts_with("m")) {
    (void)value.integer(0, kMostItems);
  }
  if (key.ends_with("Properties") && key.starts_with("m")) {
    (void)value.integer(0, kMostItems);
  }
  if (key == "format" && !kFormats.contains(value.text())) {
    value.fail("is the format '" + value.text() + "', which is not supported");
  }
  if (key != "pattern") return;
  try {
    check_regex(value.text(), "pattern");
  } catch (const Error& error) {
    value.fail("is no usable " + error.text());
  }
}

void check_required(const JsonView& schema) {
  const auto required = schema.find("required");
  if (!required) return;
  const auto properties = schema.find("properties");
  for (const JsonView& name : required->items()) {
    if (properties && properties->find(name.text())) continue;
    name.fail("names '" + name.text() + "', which `properties` has not");
  }
}

class Schema {
 public:
  explicit Schema(const JsonView& schema) : schema_(schema) {}

  void check() const {
    if (std::holds_alternative<bool>(schema_.value().data)) return;
    const auto types = types_of(schema_);
    const std::string_view alone = decider();
    for (const auto& [key, value] : schema_.members()) {
      check_key(key, value, types, alone);
    }
    check_values(schema_, types);
    check_required(schema_);
  }

 private:
  /// The keyword that decides alone; "": none does.
  [[nodiscard]] std::string_view decider() const {
    std::string_view found;
    for (const std::string_view key : kAlone) {
      if (!has(key)) continue;
      if (!found.empty()) refuse_beside(key, found);
      found = key;
    }
    return found;
  }
  /// Also where it is null, as `const` may be.
  [[nodiscard]] bool has(std::string_view key) const {
    const auto members = schema_.members();
    return std::any_of(members.begin(), members.end(),
                       [&](const auto& each) { return each.first == key; });
  }
  [[noreturn]] void refuse_beside(std::string_view key,
                                  std::string_view other) const {
    schema_.fail(str("has '", key, "' beside '", other,
                     "', which is not supported together"));
  }

  void check_key(const std::string& key, const JsonView& value,
                 const std::vector<std::string>& types,
                 std::string_view alone) const {
    if (key == alone || kNotes.contains(key)) return check_inner(key, value);
    const bool has_values = alone == "enum" || alone == "const";
    if (key == "type" && (alone.empty() || has_values)) return;
    if (key.starts_with("x-")) return;
    const bool is_known = std::any_of(
        kBounds.begin(), kBounds.end(),
        [&](const auto& each) { return each.second.contains(key); });
    if (!is_known && key != "type") {
      schema_.fail("has '" + key + "', which is not supported");
    }
    if (!alone.empty()) refuse_beside(key, alone);
    const bool fits = std::any_of(
        types.begin(), types.end(),
        [&](const auto& type) { return kBounds.at(type).contains(key); });
    if (!fits) {
      schema_.fail("has '" + key +
                   "', but its `type` is none that this is about");
    }
    check_bound(value, key);
    check_inner(key, value);
  }

  static void check_inner(std::string_view key, const JsonView& value) {
    if (kOne.contains(key)) {
      Schema(value).check();
    } else if (kLists.contains(key)) {
      for (const JsonView& each : value.items()) Schema(each).check();
    } else if (kMaps.contains(key)) {
      for (const auto& [name, each] : value.members()) {
        if (key == "patternProperties") check_regex(name, "patternProperties");
        Schema(each).check();
      }
    }
  }

  JsonView schema_;
};

/// The bounds of strings, added up.
std::int64_t lengths_in(const JsonView& at) {
  std::int64_t sum = 0;
  if (at.is_array()) {
    for (const JsonView& each : at.items()) sum += lengths_in(each);
  }
  if (!at.is_object()) return sum;
  std::int64_t own = 0;
  for (const auto& [key, each] : at.members()) {
    const bool is_length = key == "minLength" || key == "maxLength";
    if (is_length && each.is_integer()) {
      own = std::clamp(each.integer(), own, kMostLength + 1);
    }
    sum += lengths_in(each);
  }
  return sum + own;
}

}  // namespace

void check_schema(const std::string& text) {
  const JsonValue parsed = parse_json(text, "json_schema", kLimits);
  const JsonView root(parsed, "json_schema");
  if (std::holds_alternative<bool>(parsed.data)) {
    root.fail("is true or false; write {} for any JSON");
  }
  check_refs(root);
  Schema(root).check();
  if (const auto sum = lengths_in(root); sum > kMostLength) {
    root.fail(str("has strings whose lengths come to ", sum, "; the most is ",
                  kMostLength,
                  "; leave minLength and maxLength out where they do not "
                  "matter"));
  }
}

}  // namespace penstock::grammar
