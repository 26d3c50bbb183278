// The order in which the prompts of several clients come to a step.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "core/fair_shares.h"
#include "core/plan_sequences.h"

namespace penstock::core {

/// A prompt, and what its place depends on.
struct Prompt {
  Turn turn;
  std::string_view client;
  std::int64_t priority = 0;
  double tokens = 0;  ///< that it would have of the step, divided by its weight
};

/// Of the clients with the highest priority waiting, who had least comes next;
/// of equals who has fewer sequences running, then whose prompt is the oldest.
/// What a prompt would have counts at once. Those of one client stay in the
/// order they are given in, so that a client's prompt of a higher priority
/// lifts what stands before it.
[[nodiscard]] std::vector<Turn> fair_order(
    const std::vector<Prompt>& prompts, const FairShares& shares,
    std::map<std::string_view, std::int64_t> running);

}  // namespace penstock::core
