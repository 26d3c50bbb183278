// Does every stage of a pipeline find the notes and facts that it needs?
#pragma once

#include "config/draft.h"
#include "config/problems.h"

namespace penstock::config {

/// Compares what stages declare, where all of them are in place; a problem
/// names the stage, the note and who makes it.
void check_notes(const Draft& draft, const StageCatalog& catalog,
                 Problems& problems);

}  // namespace penstock::config
