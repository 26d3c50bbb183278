// audio.note_frames: what a model of windows that overlap says of each frame,
// once for each.
#pragma once

#include "penstock/decode.h"

namespace penstock::audio {

/// Input: notes and onsets f32[B,F,P], how likely each pitch sounds and begins
/// in each frame of a window. Output: the same of the window's own frames,
/// f32[F-overlap,P]: those that it shares with its neighbours are halved
/// between them.
class NoteFrames final : public Decode {
 public:
  struct Params {
    std::int64_t overlap = 0;
  };
  static void declare(Declaration<NoteFrames>& d);
  explicit NoteFrames(const Params& params) : params_(params) {}

  void decode(const Step& step, const Result& picked,
              std::vector<Next>& out) override;

 private:
  Params params_;
};

}  // namespace penstock::audio
