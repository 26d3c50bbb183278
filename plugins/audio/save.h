// audio.save: sound that a model made, or heard, as WAV files.
#pragma once

#include <string>
#include <utility>

#include "penstock/postprocess.h"

namespace penstock::audio {

/// Input: a tensor f32[T] or f32[C,T] in -1..1, of Decode or, where that gives
/// none of the name, of preprocess. Output: the file's path, and JSON
/// {"sounds": [{"file", "seconds", "sample_rate"}]}.
class Save final : public Postprocess {
 public:
  struct Params {
    std::string tensor = "waveform";
    std::string folder = "sounds";
    std::string format = "pcm16";
    std::int64_t sample_rate = 0;
  };
  static void declare(Declaration<Save>& d);
  explicit Save(Params params) : params_(std::move(params)) {}

  [[nodiscard]] std::unique_ptr<Writer> begin(
      const Request& request) const override;

 private:
  Params params_;
};

}  // namespace penstock::audio
