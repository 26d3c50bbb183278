#include "grammar/schema_check.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "grammar/bounds_check.h"
#include "grammar/keywords.h"
#include "grammar/one_of.h"
#include "grammar/schema_refs.h"
#include "penstock/error.h"

namespace penstock::grammar {
namespace {

constexpr JsonLimits kLimits{
    .bytes = std::size_t{64} << 10U, .depth = 64, .values = 20'000};
constexpr std::size_t kMostEnum = 2'000;

/// Walks over the schemas inside each other.
class Walk {
 public:
  explicit Walk(const JsonView& root) : root_(root) {}

  void check(const JsonView& schema, std::vector<std::string> types) {
    schemas_.insert(&schema.value());
    if (std::holds_alternative<bool>(schema.value().data)) return;
    if (types.empty()) types = types_of(schema);
    const std::string_view alone = decider(schema);
    for (const auto& [key, value] : schema.members()) {
      check_key(schema, key, value, types, alone);
    }
    check_values(schema, types);
    check_lists(schema);
    check_bounds(schema, types);
  }
  /// Where schemas stand; what a $ref may mean.
  [[nodiscard]] const SchemaSet& schemas() const { return schemas_; }

 private:
  static void refuse_beside(const JsonView& schema, std::string_view key,
                            std::string_view other) {
    schema.fail(str("has '", key, "' beside '", other,
                    "', which is not supported together"));
  }

  void check_key(const JsonView& schema, const std::string& key,
                 const JsonView& value, const std::vector<std::string>& types,
                 std::string_view alone) {
    if (key == "$id" && &schema.value() != &root_.value()) {
      schema.fail("has '$id', which is supported of the whole schema alone");
    }
    if (key == alone || kNotes.contains(key)) return check_inner(key, value);
    const bool has_values = alone == "enum" || alone == "const";
    if (key == "type" && (alone.empty() || has_values)) return;
    if (key.starts_with("x-")) return;
    const bool decides =
        std::find(kAlone.begin(), kAlone.end(), key) != kAlone.end();
    const bool is_known =
        decides || key == "type" ||
        std::any_of(kBounds.begin(), kBounds.end(), [&](const auto& each) {
          return each.second.contains(key);
        });
    if (!is_known) schema.fail("has '" + key + "', which is not supported");
    if (!alone.empty()) refuse_beside(schema, key, alone);
    const bool fits = std::any_of(
        types.begin(), types.end(),
        [&](const auto& type) { return kBounds.at(type).contains(key); });
    if (!fits) {
      schema.fail("has '" + key +
                  "', but its `type` is none that this is about");
    }
    check_inner(key, value);
  }

  void check_inner(std::string_view key, const JsonView& value) {
    if (kOne.contains(key)) {
      check(value, key == "propertyNames" && !value.find("type") &&
                           decider(value).empty()
                       ? std::vector<std::string>{"string"}
                       : std::vector<std::string>{});
    } else if (kLists.contains(key)) {
      for (const JsonView& each : value.items()) check_each(each);
    } else if (kMaps.contains(key)) {
      for (const auto& [name, each] : value.members()) check_each(each);
    }
  }
  void check_each(const JsonView& schema) {
    const auto* flag = std::get_if<bool>(&schema.value().data);
    if (flag != nullptr && !*flag) schema.fail("is false: no value fits it");
    check(schema, {});
  }

  /// Values that stand in the schema must be of its types.
  static void check_values(const JsonView& schema,
                           const std::vector<std::string>& types) {
    const auto values = values_of(schema);
    if (values.empty() && schema.find("enum")) {
      schema.fail("has an enum without values");
    }
    if (values.size() > kMostEnum) {
      schema.fail(str("has an enum of ", values.size(), " values; the most is ",
                      kMostEnum));
    }
    for (const JsonView& value : values) {
      const std::string_view own = type_of(value.value());
      const bool fits =
          types.empty() ||
          std::any_of(types.begin(), types.end(), [&](const auto& type) {
            return type == own || (type == "number" && own == "integer");
          });
      if (!fits) {
        value.fail(str("is of the type ", own, ", which `type` excludes"));
      }
    }
  }

  void check_lists(const JsonView& schema) const {
    if (const auto all = schema.find("allOf");
        all && all->items().size() != 1) {
      all->fail(
          "holds several schemas or none, which is not supported; write "
          "what they ask into one");
    }
    if (const auto any = schema.find("anyOf"); any && any->items().empty()) {
      any->fail("holds no schema");
    }
    if (const auto one = schema.find("oneOf")) check_one_of(root_, *one);
  }

  const JsonView& root_;
  SchemaSet schemas_;
};

}  // namespace

JsonValue parse_schema(const std::string& text) {
  return parse_json(text, "json_schema", kLimits);
}

void check_schema(const JsonView& root) {
  if (std::holds_alternative<bool>(root.value().data)) {
    root.fail("is true or false; write {} for any JSON");
  }
  Walk walk(root);
  walk.check(root, {});
  check_refs(root, walk.schemas());
}

}  // namespace penstock::grammar
