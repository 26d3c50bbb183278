// Members of objects in a JSON schema: which keywords can be held together.
#pragma once

#include <initializer_list>
#include <optional>
#include <utility>

#include "penstock/json.h"

namespace penstock::grammar {

/// Refuses the first two of these that stand beside each other.
void refuse_pairs(
    const JsonView& schema,
    std::initializer_list<std::pair<const char*, const char*>> pairs);
/// Refuses a least that is above the most, by their keys.
void check_order(const JsonView& schema, const char* least, const char* most,
                 bool may_be_equal = true);
/// Whether a schema is absent or false.
[[nodiscard]] bool is_none(const std::optional<JsonView>& schema);

void check_object(const JsonView& schema);

}  // namespace penstock::grammar
