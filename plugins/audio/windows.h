// audio.windows: sound cut into windows of one length that overlap, for models
// that hear so much at a time.
#pragma once

#include "penstock/preprocess.h"

namespace penstock::audio {

/// Input: waveform f32[T] with the note `sample_rate`. Output: an item a
/// window, window f32[N], or f32[N,1] with `column`; the last one is filled
/// with silence. Notes as they were.
class Windows final : public Preprocess {
 public:
  struct Params {
    std::int64_t size = 16000;
    std::int64_t hop = 16000;
    std::int64_t lead = 0;
    bool column = false;
  };
  static void declare(Declaration<Windows>& d);
  static Ports describe(const Params& params);
  explicit Windows(const Params& params) : params_(params) {}

  void preprocess(const Request& request, Item in,
                  ItemSink& out) const override;

 private:
  Params params_;
};

}  // namespace penstock::audio
