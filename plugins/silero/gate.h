// silero.gate: lets only sound with speech through, before a model that would
// transcribe words from silence.
#pragma once

#include <map>
#include <memory>

#include "penstock/preprocess.h"
#include "silero/network.h"
#include "silero/segmenter.h"

namespace penstock::silero {

/// Input and output: waveform f32[T]. A sound without speech gives no item;
/// of others the note `speech` has the begin and end of each segment, in
/// samples, so that nobody looks for words between them.
/// With `split`, one item for each segment of speech up to
/// `max_speech_seconds`, note `audio_begin` in seconds of the whole.
class Gate final : public Preprocess {
 public:
  struct Params {
    double threshold = 0.5;
    bool split = false;
    double max_speech_seconds = 30;
  };
  static void declare(Declaration<Gate>& d);
  explicit Gate(const Params& params) : params_(params) {}

  [[nodiscard]] Footprint memory(const StageContext& context) const override;
  void open(StageContext& context) override;
  void close() noexcept override;
  void preprocess(const Request& request, Item in,
                  ItemSink& out) const override;

 private:
  Params params_;
  std::map<std::int64_t, Network> networks_;  ///< by sample rate
};

/// Neighbours joined as long as the whole lasts at most `most` samples.
[[nodiscard]] std::vector<Segment> joined(const std::vector<Segment>& segments,
                                          std::int64_t most);

}  // namespace penstock::silero
