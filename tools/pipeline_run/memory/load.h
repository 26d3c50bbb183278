// What a command line asks of a pipeline at once, as far as that is known
// before anything runs: how many requests, and how long they can come to be.
#pragma once

#include <vector>

#include "penstock/memory_plan.h"
#include "pipeline_run/options.h"

namespace penstock::run {

/// Of each step. A text has at most as many tokens as bytes, and an answer
/// max_new_tokens; of stdin, JSON lines and conversations nothing is known, of
/// files how many they are. A step that takes another's outputs gets texts as
/// long as that one's model writes them. `most`: the plan of all that the file
/// can take.
[[nodiscard]] std::vector<MemoryLoad> loads_of(const Options& options,
                                               const CompositionFile& file,
                                               const MemoryPlan& most);

}  // namespace penstock::run
