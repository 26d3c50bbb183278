// Scores under Want::allowed against the same scores without it.
#pragma once

#include <string>

#include "penstock/forward.h"

namespace penstock::testing {

/// A set for the i-th scored token: by turns every token (null), one, few, most
/// of `vocab`.
[[nodiscard]] std::shared_ptr<const TokenSet> any_set(std::int64_t i,
                                                      std::int64_t vocab);

/// What is wrong with row `row` of the scores, given the same position's
/// without a mask, f32[vocab]; "": nothing.
[[nodiscard]] std::string masked_fault(const Scores& scores, std::int64_t row,
                                       const at::Tensor& unmasked,
                                       const Position& position,
                                       double tolerance);

}  // namespace penstock::testing
