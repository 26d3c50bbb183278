#include "grammar/canonical_json.h"

#include <algorithm>
#include <cmath>
#include <variant>

namespace penstock::grammar {
namespace {

/// Numbers as integers where they are, members by their names.
JsonValue canonical(const JsonValue& value) {
  JsonValue out = value;
  if (const auto* real = std::get_if<double>(&value.data)) {
    constexpr double kMostWhole = 9007199254740992;  // 2^53
    const bool is_whole = std::trunc(*real) == *real;
    if (is_whole && std::abs(*real) <= kMostWhole) {
      out.data = static_cast<std::int64_t>(*real);
    }
  } else if (auto* items = std::get_if<JsonValue::Array>(&out.data)) {
    for (JsonValue& each : *items) each = canonical(each);
  } else if (auto* members = std::get_if<JsonValue::Object>(&out.data)) {
    for (auto& each : *members) each.value = canonical(each.value);
    std::sort(members->begin(), members->end(),
              [](const auto& a, const auto& b) { return a.key < b.key; });
  }
  return out;
}

}  // namespace

std::string canonical_json(const JsonValue& value) {
  return json_text(canonical(value));
}

}  // namespace penstock::grammar
