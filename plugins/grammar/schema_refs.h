// The references of a JSON schema.
#pragma once

#include "penstock/json.h"

namespace penstock::grammar {

/// Throws Error(kData) for a `$ref` that leads out of the document, nowhere, or
/// back to itself without anything in between.
void check_refs(const JsonView& root);

}  // namespace penstock::grammar
