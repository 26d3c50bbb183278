// A Forward that runs a model's file: what is the same whichever library runs
// it.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "lib/exported/runner.h"
#include "penstock/forward.h"

namespace penstock::exported {

class FileForward : public Forward {
 public:
  void close() noexcept override { runner_.reset(); }
  [[nodiscard]] Caps caps() const override {
    return {.slots = runner_->slots()};
  }
  [[nodiscard]] Result forward(const Step& step) override {
    return runner_->run(step);
  }
  void release(int slot) noexcept override { runner_->release(slot); }

 protected:
  /// The pipeline's model. Throws Error(kNotFound) where none is named.
  [[nodiscard]] static const std::string& model_of(const StageContext& context);
  /// From open() to close().
  void run_with(std::unique_ptr<Runner> runner) { runner_ = std::move(runner); }

 private:
  std::unique_ptr<Runner> runner_;
};

}  // namespace penstock::exported
