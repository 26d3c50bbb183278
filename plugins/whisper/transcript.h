// Splits the tokens of a window into segments, and finds where
// the next one begins.
#pragma once

#include <cstdint>
#include <vector>

#include "penstock/notes.h"
#include "whisper/rules.h"

namespace penstock::whisper {

/// Of a window: where it begins, in frames of 10 ms of the recording.
inline constexpr Note<std::int64_t> kSeek{"seek"};

/// Begin and end in steps of 20 ms from the window's begin; tokens [first,
/// last) of the window.
struct Segment {
  std::int64_t begin = 0, end = 0;
  std::int64_t first = 0, last = 0;
  bool operator==(const Segment&) const = default;
};

struct SegmentedWindow {
  std::vector<Segment> segments;
  std::int64_t frames = 0;  ///< frames of 10 ms that are transcribed
};

/// Splits `said`, which lacks the end token; the window has `frames` frames of
/// sound. A pair of times ends a segment; what follows the last pair is decoded
/// again in the next window, unless the text ends with a single time.
[[nodiscard]] SegmentedWindow split_segments(TextTokens said,
                                             const Vocabulary& words,
                                             std::int64_t frames);

}  // namespace penstock::whisper
