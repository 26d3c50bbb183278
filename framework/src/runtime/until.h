// Ends a pipeline early, to look at what a stage made: stand-ins for the stages
// behind it.
#pragma once

#include "runtime/stages.h"

namespace penstock {

/// Replaces, before they are opened, the stages of `stages` behind `last`. A
/// sequence then ends with its prompt, where Decode no longer says what comes
/// next. Throws Error(kUsage) for kPreprocess: nothing of a pipeline would run.
void end_after(StageKind last, Stages& stages);

}  // namespace penstock
