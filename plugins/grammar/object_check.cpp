#include "grammar/object_check.h"

#include <string>
#include <vector>

#include "grammar/keywords.h"
#include "grammar/pattern.h"
#include "penstock/error.h"

namespace penstock::grammar {
namespace {

std::optional<JsonView> others_of(const JsonView& schema) {
  const auto found = schema.find("additionalProperties");
  return found ? found : schema.find("unevaluatedProperties");
}

void check_patterns(const JsonView& schema, const JsonView& patterns) {
  const auto members = patterns.members();
  if (members.size() != 1) {
    patterns.fail("has several patterns or none; one can be held");
  }
  refuse_pairs(schema, {{"patternProperties", "properties"},
                        {"patternProperties", "propertyNames"}});
  if (!is_none(others_of(schema))) {
    schema.fail(
        "has 'patternProperties' and members of other names, which is not "
        "supported together");
  }
  check_pattern_text(members[0].first, patterns);
}

void check_names(const JsonView& schema, const JsonView& names) {
  refuse_pairs(schema, {{"propertyNames", "properties"}});
  const auto others = others_of(schema);
  if (others && is_none(others)) {
    schema.fail("has 'propertyNames', but no member may have them");
  }
  if (!names.is_object()) names.fail("is no object");
  const auto types = types_of(names);
  if (!types.empty() && types != std::vector<std::string>{"string"}) {
    names.fail("is no schema of texts");
  }
}

void check_required(const JsonView& schema) {
  const auto required = schema.find("required");
  if (!required) return;
  const auto properties = schema.find("properties");
  for (const JsonView& name : required->items()) {
    if (properties && has_key(*properties, name.text())) continue;
    name.fail("names '" + name.text() + "', which `properties` has not");
  }
  const auto most = schema.find("maxProperties");
  if (most && most->integer() < std::ssize(required->items())) {
    most->fail("is less than the members that are required");
  }
}

}  // namespace

void refuse_pairs(
    const JsonView& schema,
    std::initializer_list<std::pair<const char*, const char*>> pairs) {
  for (const auto& [one, other] : pairs) {
    if (!schema.find(one) || !schema.find(other)) continue;
    schema.fail(str("has '", one, "' beside '", other,
                    "', which is not supported together"));
  }
}

void check_order(const JsonView& schema, const char* least, const char* most,
                 bool may_be_equal) {
  const auto low = schema.find(least), high = schema.find(most);
  if (!low || !high) return;
  const bool fits =
      may_be_equal ? low->real() <= high->real() : low->real() < high->real();
  if (fits) return;
  schema.fail(str("can have no value: '", least, "' is ", low->real(), " and '",
                  most, "' is ", high->real()));
}

bool is_none(const std::optional<JsonView>& schema) {
  const auto* flag =
      schema ? std::get_if<bool>(&schema->value().data) : nullptr;
  return !schema || (flag != nullptr && !*flag);
}

void check_object(const JsonView& schema) {
  refuse_pairs(schema, {{"additionalProperties", "unevaluatedProperties"}});
  const auto patterns = schema.find("patternProperties");
  const auto names = schema.find("propertyNames");
  if (patterns) check_patterns(schema, *patterns);
  if (names) check_names(schema, *names);
  const auto least = schema.find("minProperties");
  const bool any_name = patterns || names || !is_none(others_of(schema)) ||
                        !schema.find("properties");
  if (least && least->integer() > 1 && any_name) {
    least->fail(
        "is more than 1 where members may have any name, and one may come "
        "twice; this is not supported");
  }
  check_required(schema);
}

}  // namespace penstock::grammar
