// speech.vocoder: the sound of a sentence, from what hibari's network says of
// it.
#pragma once

#include <cstdint>
#include <utility>

#include "penstock/decode.h"

namespace penstock::speech {

/// Inputs: lh, theta, ln, lr and phi f32[B,1,601,F], f0 f32[B,1,F]; see
/// waveform.h. Output: waveform f32[T]{mono} and the note sample_rate, 24,000.
class Vocoder final : public Decode {
 public:
  struct Params {
    std::int64_t seed = 0;
  };
  static void declare(Declaration<Vocoder>& d);
  explicit Vocoder(const Params& params) : params_(params) {}

  void decode(const Step& step, const Result& picked,
              std::vector<Next>& out) override;

 private:
  Params params_;
};

}  // namespace penstock::speech
