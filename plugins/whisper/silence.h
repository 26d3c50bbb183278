// Silence: which part of a sound need not be listened to, because a gate found
// no speech there. In silence Whisper hears words that nobody said.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "penstock/value.h"

namespace penstock::whisper {

/// Frames of 10 ms, [begin, end).
struct Speech {
  std::int64_t begin = 0, end = 0;
};

/// A gate's note `speech`; nothing: there was no gate.
[[nodiscard]] std::optional<std::vector<Speech>> speech_of(const Notes& notes);

/// Where the next window begins so that it has speech in it: at `seek`, or
/// shortly before the next speech; at `total` where none follows. `speech` is
/// in order; a window shows `window` frames.
[[nodiscard]] std::int64_t skip_silence(const std::vector<Speech>& speech,
                                        std::int64_t seek, std::int64_t window,
                                        std::int64_t total);

}  // namespace penstock::whisper
