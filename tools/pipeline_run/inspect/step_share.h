// A row's share of a step: the part of the rectangle and of the scores that is
// about it.
#pragma once

#include <cstddef>
#include <string>

#include "penstock/step.h"

namespace penstock::run {

/// Of slice `index`: its row of a padded or stacked rectangle, its tokens of a
/// packed one. A tensor that has no row for each slice is given whole.
[[nodiscard]] Tensors inputs_of(const Step& step, std::size_t index);
/// The same of what Forward gave: its outputs, and scores.* of its positions.
[[nodiscard]] Tensors results_of(const Step& step, const Result& result,
                                 std::size_t index);

/// Which step of a composition a pipeline's step is of; "": of none.
[[nodiscard]] const std::string& step_of(const Step& step);

}  // namespace penstock::run
