// openvino.forward: runs any ONNX, OpenVINO or TFLite model; its ports are
// those of the model's file.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "openvino/bind.h"
#include "openvino/session.h"
#include "penstock/forward.h"

namespace penstock::openvino {

/// Inputs and outputs: by name, dtype and dims what the model's file says,
/// with B for the rows of a batch (penstock/model_ports.h).
class OpenvinoForward final : public Forward {
 public:
  struct Params {
    std::vector<std::string> names;
    std::vector<std::string> set;
    std::vector<std::string> state;
    std::vector<std::string> scan;
    std::vector<std::string> channels_last;
    std::string rows = "auto";
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
    return {.slots = static_cast<int>(states_.size())};
  }
  [[nodiscard]] Result forward(const Step& step) override;
  void release(int slot) noexcept override;

 private:
  /// Of a slot: each input's tensor, where it is a state that is known.
  using State = std::vector<at::Tensor>;
  /// By output of the file; those that the pipeline gets are defined.
  using Outputs = std::vector<at::Tensor>;

  [[nodiscard]] Outputs run(const Step& step, const Tensors& inputs);
  [[nodiscard]] Outputs run_together(const Step& step, const Tensors& inputs);
  [[nodiscard]] Outputs run_one(const Step& step, const Tensors& inputs,
                                std::int64_t row);
  [[nodiscard]] Outputs run_steps(const Step& step, std::int64_t steps);
  [[nodiscard]] State* state_of(const Step& step, std::int64_t row);
  /// Of all rows, as one batch; undefined: no row has one.
  [[nodiscard]] at::Tensor states_for(const Step& step,
                                      const ModelInput& input);
  void keep_states(const Step& step, const Outputs& made);
  [[nodiscard]] std::size_t place_of(const ModelInput& input) const {
    return static_cast<std::size_t>(&input - ports_.inputs.data());
  }

  Params params_;
  std::string file_;
  ModelPorts ports_;
  std::unique_ptr<Binder> binder_;
  std::unique_ptr<Session> session_;
  std::vector<State> states_;  ///< by slot; none: the model has no state
};

}  // namespace penstock::openvino
