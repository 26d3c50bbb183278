// silero.segments: the segments of speech as text, JSON, pieces of the file or
// a plot.
#pragma once

#include <string>
#include <utility>

#include "penstock/postprocess.h"
#include "silero/segmenter.h"

namespace penstock::silero {

/// Inputs: probabilities f32[N] a step, the item's waveform f32[T]. Output: a
/// line a segment, or one JSON document, or a piece of the file a segment; and
/// JSON {"segments": [{"begin", "end"}]} with seconds on the recording's clock.
class Segments final : public Postprocess {
 public:
  struct Params {
    std::string format = "text";
    double threshold = 0.5;
    double end_threshold = -1;
    double min_speech_ms = 250;
    double min_silence_ms = 100;
    double pad_ms = 30;
    double max_speech_s = 0;
    std::string render;
  };
  static void declare(Declaration<Segments>& d);
  explicit Segments(Params params) : params_(std::move(params)) {}

  void open(StageContext& context) override;
  [[nodiscard]] std::unique_ptr<Writer> begin(
      const Request& request) const override;

 private:
  Params params_;
};

}  // namespace penstock::silero
