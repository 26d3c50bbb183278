// What every stage of a kind must do, as one line of a test. Link
// penstock::testing.
//
//   EXPECT_EQ(stage_faults("{use: tidy.clean}",
//                          {.inputs = {{"text", "<b>Hi</b>"}}}), "");
#pragma once

#include <string>

#include "penstock/testing/difference.h"
#include "penstock/testing/run_stage.h"

namespace penstock::testing {

/// Runs the stage as run_stage() does, again and again, and holds the runs
/// against each other. Gives a line for each fault; "" where there is none:
///
/// - any: it is opened three times and does the same each time; a second
///   request gets what the first got; 24 requests at once get what one alone
///   gets, whatever threads and steps they share;
/// - Batch: every token of every sequence runs once, in order;
/// - Forward with slots: chunks, cuts, copies and replays give the scores of
///   the model without them (check_forward() of conformance.h), where
///   `given.items` have tokens, 8 or more each.
///
/// What else a stage must keep to is checked by every run: ports, notes, plans,
/// wants, an end. `rounding` is what sums in another order may change.
[[nodiscard]] std::string stage_faults(const std::string& yaml,
                                       const Given& given = {},
                                       const Rounding& rounding = {});

}  // namespace penstock::testing
