// torch.forward: runs any model that PyTorch exported; its ports are those of
// the model's file.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lib/exported/file_forward.h"
#include "lib/exported/options.h"
#include "torch/session.h"

namespace penstock::pt2 {

/// Inputs and outputs: by name, dtype and dims what the model's file says,
/// with B for the rows of a batch (penstock/model_ports.h).
class TorchForward final : public exported::FileForward {
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

 private:
  Params params_;
  std::unique_ptr<Session> session_;
};

}  // namespace penstock::pt2
