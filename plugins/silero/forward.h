// silero.forward: Silero VAD, window by window; slots hold the LSTM's state.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "penstock/forward.h"
#include "silero/network.h"

namespace penstock::silero {

/// Input: waveform f32[T] at 16 or 8 kHz. Outputs for a step's windows:
/// probabilities f32[B, block], of which the first `count` i64[B] of a sequence
/// are real; `left` i64[B] windows are still to come.
class SileroForward final : public Forward {
 public:
  struct Params {
    std::int64_t block = 512;
  };
  static void declare(Declaration<SileroForward>& d);
  explicit SileroForward(const Params& params) : params_(params) {}

  [[nodiscard]] Footprint memory(const StageContext& context) const override;
  void open(StageContext& context) override;
  void close() noexcept override;

  [[nodiscard]] Caps caps() const override {
    return {.slots = static_cast<int>(slots_.size())};
  }
  [[nodiscard]] Result forward(const Step& step) override;
  void release(int slot) noexcept override;

 private:
  struct Slot {
    Memory memory;
    std::int64_t next = 0;  ///< the next window
  };

  Params params_;
  std::map<std::int64_t, Network> networks_;  ///< by sample rate
  std::vector<Slot> slots_;
};

}  // namespace penstock::silero
