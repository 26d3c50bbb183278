// audio.waveform: any sound or film file as one channel at one rate.
#pragma once

#include <string>
#include <utility>

#include "lib/media/audio_reader.h"
#include "penstock/preprocess.h"

namespace penstock::audio {

/// Input: `audio`, a file, its path or its bytes. Output: waveform f32[T] in
/// -1..1; notes `sample_rate`, `audio_seconds` and, for a piece of a file or
/// sound that begins after its film, `audio_begin`: seconds on the film's
/// clock.
class Waveform final : public Preprocess {
 public:
  struct Params {
    std::int64_t sample_rate = 16000;
    std::string resampler = "sinc";
    std::string normalize = "none";
    std::string raw_format = "none";
    std::int64_t raw_rate = 16000;
    std::int64_t raw_channels = 1;
    std::int64_t channel = 0;
    std::string missing = "fail";
    std::string damaged = "refuse";
    double max_seconds = 6 * 3600;
  };
  static void declare(Declaration<Waveform>& d);
  explicit Waveform(Params params) : params_(std::move(params)) {}

  void preprocess(const Request& request, Item in,
                  ItemSink& out) const override;

 private:
  Params params_;
};

}  // namespace penstock::audio
