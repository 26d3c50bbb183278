// What every Forward asks of its Engine alike.
#pragma once

#include <memory>
#include <utility>

#include "gemma/engine.h"

namespace penstock::gemma {

/// A Forward whose slots an Engine keeps: all but its steps.
class WithEngine : public Forward {
 public:
  [[nodiscard]] Caps caps() const override { return engine_->caps(); }
  void release(int slot) noexcept override { engine_->release(slot); }
  void truncate(int slot, std::int64_t length) override {
    engine_->truncate(slot, length);
  }
  void copy(int from, int to) override { engine_->copy(from, to); }
  [[nodiscard]] std::int64_t state_bytes(int slot) const override {
    return engine_->state_bytes(slot);
  }

 protected:
  /// Without an engine; what is called before one is there is undefined.
  WithEngine() = default;
  explicit WithEngine(std::unique_ptr<Engine> engine)
      : engine_(std::move(engine)) {}

  std::unique_ptr<Engine> engine_;
};

}  // namespace penstock::gemma
