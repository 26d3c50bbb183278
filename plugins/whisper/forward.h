// whisper.forward: the encoder once a window, the decoder with its KV cache.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "penstock/forward.h"
#include "penstock/gpus.h"
#include "whisper/engine.h"

namespace penstock::whisper {

/// Inputs: tokens i64[T]; features f32[mels, F] of a whole sound, of which a
/// new sequence takes the 3000 from `seek` on (the sequence's input, else 0).
/// Output: scores f32[R, V].
class WhisperForward final : public Forward {
 public:
  struct Params {
    std::string engine = "auto";
    std::string dtype = "auto";
    std::string padding = "silence";
  };
  static void declare(Declaration<WhisperForward>& d);
  [[nodiscard]] static std::string why_no_gpu(const Params& params,
                                              const std::string& model,
                                              const Gpus& gpus, int index);
  explicit WhisperForward(Params params) : params_(std::move(params)) {}

  [[nodiscard]] Footprint memory(const StageContext& context) const override;
  void open(StageContext& context) override;
  void close() noexcept override;

  [[nodiscard]] Caps caps() const override {
    return {.slots = slots_,
            .rollback = kAll,
            .can_copy = false,
            .can_chunk = true};
  }
  [[nodiscard]] Result forward(const Step& step) override;
  void release(int slot) noexcept override;
  void truncate(int slot, std::int64_t length) override;

 private:
  void encode_fresh(const Step& step);
  [[nodiscard]] at::Tensor window(const Sequence& sequence) const;

  Params params_;
  std::unique_ptr<Engine> engine_;
  int slots_ = 0;
};

}  // namespace penstock::whisper
