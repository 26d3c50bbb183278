#include "grammar/bounds_check.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>

#include "grammar/formats.h"
#include "grammar/keywords.h"
#include "grammar/object_check.h"
#include "grammar/pattern.h"
#include "penstock/error.h"

namespace penstock::grammar {
namespace {

constexpr std::int64_t kMostCount = 1'000, kMostLength = 1'000'000;
constexpr std::int64_t kMostLeast = 100;  ///< of lengths, each is prepared
/// What xgrammar counts multiples up to, and how far apart bounds may be.
constexpr std::int64_t kMostMultiple = 1'024, kWidest = 10'000;
/// Where doubles are integers without gaps.
constexpr double kExact = 9007199254740992;

using TypeNames = std::vector<std::string>;

bool is_among(const TypeNames& types, std::string_view type) {
  return std::find(types.begin(), types.end(), type) != types.end();
}

void check_string(const JsonView& schema) {
  if (const auto least = schema.find("minLength")) {
    (void)least->integer(0, kMostLeast);
  }
  if (const auto most = schema.find("maxLength")) {
    (void)most->integer(0, kMostLength);
  }
  check_order(schema, "minLength", "maxLength");
  refuse_pairs(schema, {{"format", "pattern"},
                        {"minLength", "pattern"},
                        {"maxLength", "pattern"},
                        {"minLength", "format"},
                        {"maxLength", "format"}});
  if (const auto format = schema.find("format");
      format && format_pattern(format->text()).empty()) {
    format->fail("is the format '" + format->text() +
                 "', which is not supported");
  }
  if (const auto pattern = schema.find("pattern")) check_pattern(*pattern);
}

void check_multiple(const JsonView& schema, const JsonView& multiple) {
  (void)multiple.integer(1, kMostMultiple);
  std::optional<double> low, high;
  for (const char* key : {"minimum", "exclusiveMinimum"}) {
    if (const auto bound = schema.find(key)) low = bound->real();
  }
  for (const char* key : {"maximum", "exclusiveMaximum"}) {
    if (const auto bound = schema.find(key)) high = bound->real();
  }
  if (low.has_value() != high.has_value()) {
    schema.fail(
        "has 'multipleOf' and one bound; it can be held with both or none");
  }
  if (low && *high - *low > static_cast<double>(kWidest)) {
    schema.fail(str("has 'multipleOf' and bounds more than ", kWidest,
                    " apart, which is not supported"));
  }
}

void check_integer(const JsonView& schema) {
  for (const char* key :
       {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}) {
    const auto bound = schema.find(key);
    if (!bound || bound->is_integer()) continue;
    const double value = bound->real();
    if (std::trunc(value) != value || std::abs(value) > kExact) {
      bound->fail("is no whole number, as the bound of an integer must be");
    }
  }
  const auto multiple = schema.find("multipleOf");
  if (multiple) check_multiple(schema, *multiple);
}

void check_numbers(const JsonView& schema, const TypeNames& types) {
  for (const char* key :
       {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}) {
    if (const auto bound = schema.find(key)) (void)bound->real();
  }
  check_order(schema, "minimum", "maximum");
  check_order(schema, "exclusiveMinimum", "maximum", /*may_be_equal=*/false);
  check_order(schema, "minimum", "exclusiveMaximum", /*may_be_equal=*/false);
  check_order(schema, "exclusiveMinimum", "exclusiveMaximum",
              /*may_be_equal=*/false);
  if (is_among(types, "integer")) check_integer(schema);
  if (is_among(types, "number") && schema.find("multipleOf")) {
    schema.fail("has 'multipleOf', which is supported of integers alone");
  }
}

void check_array(const JsonView& schema) {
  for (const char* key : {"minItems", "maxItems"}) {
    if (const auto value = schema.find(key)) {
      (void)value->integer(0, kMostCount);
    }
  }
  check_order(schema, "minItems", "maxItems");
  refuse_pairs(schema, {{"items", "unevaluatedItems"}});
  const auto prefix = schema.find("prefixItems");
  if (!prefix) return;
  const std::int64_t count = std::ssize(prefix->items());
  if (count == 0) prefix->fail("holds no schema");
  if (const auto most = schema.find("maxItems");
      most && most->integer() < count) {
    most->fail(str("is less than the ", count, " of 'prefixItems'"));
  }
  auto rest = schema.find("items");
  if (!rest) rest = schema.find("unevaluatedItems");
  const auto least = schema.find("minItems");
  if (least && least->integer() > count && is_none(rest)) {
    least->fail(str("is more than the ", count,
                    " of 'prefixItems', and no others may follow"));
  }
}

}  // namespace

void check_bounds(const JsonView& schema, const TypeNames& types) {
  if (is_among(types, "string")) check_string(schema);
  if (is_among(types, "integer") || is_among(types, "number")) {
    check_numbers(schema, types);
  }
  if (is_among(types, "array")) check_array(schema);
  if (is_among(types, "object")) {
    for (const char* key : {"minProperties", "maxProperties"}) {
      if (const auto value = schema.find(key)) {
        (void)value->integer(0, kMostCount);
      }
    }
    check_order(schema, "minProperties", "maxProperties");
    check_object(schema);
  }
}

}  // namespace penstock::grammar
