// oneOf: can be held where no value fits two of its schemas.
#pragma once

#include "penstock/json.h"

namespace penstock::grammar {

/// Throws Error(kData) unless each two of the list differ in their types, in
/// the values that they allow, or in a required member with such values.
void check_one_of(const JsonView& root, const JsonView& list);

}  // namespace penstock::grammar
