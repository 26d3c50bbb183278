// $ref: where it leads, within the schema's own document.
#pragma once

#include <set>
#include <string>

#include "penstock/json.h"

namespace penstock::grammar {

/// The schemas of a document, by their values.
using SchemaSet = std::set<const JsonValue*>;

/// What a $ref means. Throws Error(kData) for what is not there, or elsewhere.
[[nodiscard]] JsonView ref_target(const JsonView& root, const JsonView& ref);

/// Throws Error(kData) for a reference to what is not among `schemas`, and for
/// one that comes back to itself without a value in between.
void check_refs(const JsonView& root, const SchemaSet& schemas);

}  // namespace penstock::grammar
