// silero.decode: hands the probabilities of each step on, until the sound ends.
#pragma once

#include "penstock/decode.h"

namespace penstock::silero {

/// Input: probabilities f32[B,W] with `count` and `left`. Output: the real
/// probabilities of a step, f32[N].
class SileroDecode final : public Decode {
 public:
  struct Params {};
  static void declare(Declaration<SileroDecode>& d);
  explicit SileroDecode(const Params& /*params*/) {}

  void decode(const Step& step, const Result& picked,
              std::vector<Next>& out) override;
};

}  // namespace penstock::silero
