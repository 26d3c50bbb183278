// Holds what stages set at run time against what they declared: what is not
// declared could not be checked before, so it is refused by name rather than
// missed in silence by whoever needs it.
#pragma once

#include <vector>

#include "penstock/decode.h"

namespace penstock {

/// Throws Error(kInternal) for a value that `declared` does not have, or has
/// with another type. `word`: "note" or "fact".
void check_declared(const Notes& values, const std::vector<NoteSpec>& declared,
                    const char* word);

/// Likewise the notes that Decode emits and the inputs that it sets.
void check_declared(const Next& next, const StageSpec& decode);

/// The facts that a stage declared to need or to use.
[[nodiscard]] Notes declared_of(const Notes& facts, const NoteSpecs& declared);

}  // namespace penstock
