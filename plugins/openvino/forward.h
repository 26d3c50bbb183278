// openvino.forward: runs any ONNX, OpenVINO or TFLite model; its ports are
// those of the model's file.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "lib/exported/file_forward.h"
#include "lib/exported/options.h"
#include "lib/openvino/session.h"

namespace penstock::openvino {

/// Inputs and outputs: by name, dtype and dims what the model's file says,
/// with B for the rows of a batch (penstock/model_ports.h).
class OpenvinoForward final : public exported::FileForward {
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

  [[nodiscard]] Result forward(const Step& step) override;

 private:
  Params params_;
  std::unique_ptr<Session> session_;
};

}  // namespace penstock::openvino
