// What a Writer emits is checked where it is emitted: there its stage can be
// blamed, and nobody behind it meets what is no result.
#pragma once

#include <cstddef>
#include <string>

#include "penstock/value.h"

namespace penstock {

/// Throws Error(kInternal) for JSON that is no object and for a branch that
/// the request does not have; `branches`: how many it has.
void check_emitted(const Value& value, int branch, std::size_t branches);

}  // namespace penstock
