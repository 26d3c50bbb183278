// torch.forward: runs any model that PyTorch exported; its ports are those of
// the model's file.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lib/exported/options.h"
#include "lib/exported/runner.h"
#include "penstock/forward.h"
#include "torch/session.h"

namespace penstock::pt2 {

/// Inputs and outputs: by name, dtype and dims what the model's file says,
/// with B for the rows of a batch (penstock/model_ports.h).
class TorchForward final : public Forward {
 public:
  struct Params : exported::OptionParams {
    std::vector<std::string> ports;
    bool trust = false;
  };
  static void declare(Declaration<TorchForward>& d);
  static Ports describe(const Params& params, const std::string& model);
  explicit TorchForward(Params params) : params_(std::move(params)) {}

  [[nodiscard]] Footprint memory(const StageContext& context) const override;
  void open(StageContext& context) override;
  void close() noexcept override;

  [[nodiscard]] Caps caps() const override {
    return {.slots = runner_->slots()};
  }
  [[nodiscard]] Result forward(const Step& step) override;
  void release(int slot) noexcept override { runner_->release(slot); }

 private:
  Params params_;
  std::unique_ptr<Session> session_;
  std::unique_ptr<exported::Runner> runner_;
};

}  // namespace penstock::pt2
