// A JSON value as somebody's value of a param.
#pragma once

#include "penstock/json.h"
#include "penstock/params.h"

namespace penstock::run {

/// A scalar or a list of scalars; an object of scalars is a list of
/// "name:value", as `logit_bias` takes it. Throws Error(kData).
[[nodiscard]] Raw json_raw(const JsonView& value);

}  // namespace penstock::run
