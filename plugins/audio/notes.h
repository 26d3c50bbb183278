// audio.notes: the notes of a piece of music, of the pitches that a model hears
// in its frames.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "penstock/postprocess.h"

namespace penstock::audio {

/// Input: notes and onsets f32[N,P] of each window, in their order; notes
/// `sample_rate`, `audio_seconds` and, where there is one, `audio_begin`.
/// Output: a line a note, and JSON {"notes": [{"begin", "end", "pitch",
/// "name", "loudness"}]}: seconds on the recording's clock, the pitch as
/// MIDI counts and in letters, the loudness from 0 to 1.
class Notes final : public Postprocess {
 public:
  struct Params {
    double onset_threshold = 0.5;
    double frame_threshold = 0.3;
    double min_note_ms = 127.7;
    bool faint = true;
    std::int64_t lowest = 21;
    std::int64_t hop = 256;
    std::int64_t window = 43844;
    std::int64_t window_frames = 172;
    std::string render;
  };
  static void declare(Declaration<Notes>& d);
  explicit Notes(Params params) : params_(std::move(params)) {}

  void open(StageContext& context) override;
  [[nodiscard]] std::unique_ptr<Writer> begin(
      const Request& request) const override;

 private:
  Params params_;
};

/// "C4" for 60, "A#3" for 58.
[[nodiscard]] std::string pitch_name(std::int64_t pitch);

}  // namespace penstock::audio
