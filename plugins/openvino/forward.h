// openvino.forward: runs any ONNX, OpenVINO or TFLite model; its ports are
// those of the model's file.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "lib/exported/options.h"
#include "lib/exported/runner.h"
#include "lib/openvino/session.h"
#include "penstock/forward.h"

namespace penstock::openvino {

/// Inputs and outputs: by name, dtype and dims what the model's file says,
/// with B for the rows of a batch (penstock/model_ports.h).
class OpenvinoForward final : public Forward {
 public:
  struct Params : exported::OptionParams {
    std::string precision = "fp32";
    std::string cache;
  };
  static void declare(Declaration<OpenvinoForward>& d);
  static Ports describe(const Params& params, const std::string& model);
  explicit OpenvinoForward(Params params) : params_(std::move(params)) {}

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

}  // namespace penstock::openvino
