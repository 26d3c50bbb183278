// silero.listen: segments speech in a recording, or in sound that is still
// coming, and gives each segment as soon as it has ended.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "penstock/preprocess.h"
#include "silero/network.h"

namespace penstock::silero {

/// Input: `audio`, a file, or a Source of texts that are bytes without a
/// header. Output: for each segment of speech an item: waveform f32[T] at
/// 16000 a second, notes `sample_rate`, `audio_begin` (on the
/// recording's clock) and `audio_seconds`.
/// Memory is that of a segment, however long the sound is.
class Listen final : public Preprocess {
 public:
  struct Params {
    double threshold = 0.5;
    double pad_ms = 200;
    double max_speech_seconds = 30;
    bool join = false;
    std::string raw_format = "none";
    std::int64_t raw_rate = 16000;
    std::int64_t raw_channels = 1;
    std::int64_t channel = 0;
    std::string missing = "fail";
    std::string damaged = "refuse";
    double max_seconds = 24 * 3600;
  };
  static void declare(Declaration<Listen>& d);
  explicit Listen(Params params) : params_(std::move(params)) {}

  [[nodiscard]] Footprint memory(const StageContext& context) const override;
  void open(StageContext& context) override;
  void close() noexcept override;
  void preprocess(const Request& request, Item in,
                  ItemSink& out) const override;

 private:
  void listen(const Request& request, const Params& how, Item in,
              ItemSink& out) const;

  Params params_;
  std::map<std::int64_t, Network> networks_;  ///< by sample rate
};

}  // namespace penstock::silero
