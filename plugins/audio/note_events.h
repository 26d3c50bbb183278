// From how likely each key of a piano sounds, frame by frame, to notes: the
// rules of Spotify's Basic Pitch.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace penstock::audio {

struct NoteRules {
  double onset_threshold = 0.5;  ///< from which on a note begins
  double frame_threshold = 0.3;  ///< from which on it sounds
  std::int64_t min_frames = 11;  ///< shorter notes are none
  bool faint = true;             ///< also notes of which no beginning was heard
};

/// Sounds in the frames [begin, end).
struct NoteEvent {
  std::int64_t begin = 0, end = 0;
  std::int64_t key = 0;  ///< column of the frames
  double loudness = 0;   ///< mean of its frames, from 0 to 1
};

/// Of frames and onsets f32[frames, keys] on the CPU, by beginning and key.
[[nodiscard]] std::vector<NoteEvent> note_events(const at::Tensor& frames,
                                                 const at::Tensor& onsets,
                                                 const NoteRules& rules);

}  // namespace penstock::audio
