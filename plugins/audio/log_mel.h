// audio.log_mel: a waveform to the spectrogram that a model expects.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "audio/spectrogram.h"
#include "penstock/preprocess.h"

namespace penstock::audio {

/// Input: waveform f32[T]. Outputs: features f32[M,F] or f32[F,M] and
/// mask bool[F], true where a frame begins within the sound. Params that are
/// not given are the preset's.
class LogMel final : public Preprocess {
 public:
  struct Params {
    std::string preset = "whisper";
    std::int64_t sample_rate = -1, fft = -1, window = -1, hop = -1, span = -1;
    std::string centre = "auto", drop_last = "auto", pre_emphasis = "auto";
    double pre_emphasis_factor = -1, power = -1;
    std::int64_t mels = -1;
    std::string mel_scale = "auto", mel_norm = "auto";
    double low = -1, high = -1, floor = -1;
    std::string log = "auto", scaling = "auto", order = "auto";
    std::int64_t pad_to = -1, pad_multiple = -1;
    bool keep_waveform = false;
  };
  static void declare(Declaration<LogMel>& d);
  explicit LogMel(const Params& params);

  void preprocess(const Request& request, Item in,
                  ItemSink& out) const override;

 private:
  Conventions conventions_;
  bool keep_waveform_;
  Spectrogram spectrogram_;
};

}  // namespace penstock::audio
