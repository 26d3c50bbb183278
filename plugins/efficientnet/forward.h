// efficientnet.forward: classifies pixels with EfficientNet-Lite, and with
// other networks of inverted bottlenecks that a pipeline file describes.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "efficientnet/native/network.h"
#include "efficientnet/reference.h"
#include "penstock/forward.h"
#include "penstock/gpus.h"

namespace penstock::efficientnet {

/// Input: pixels f32[B,3,H,W]. Output: logits f32[B,K].
class EfficientNetForward final : public Forward {
 public:
  struct Params {
    std::string variant = "lite0";
    std::vector<std::string> blocks;
    std::int64_t stem = 32;
    std::int64_t head = 1280;
    std::string padding = "same";
    double epsilon = 1e-3;
    std::vector<std::string> names;
    std::string engine = "auto";
  };
  static void declare(Declaration<EfficientNetForward>& d);
  [[nodiscard]] static std::string why_no_gpu(const Params& params,
                                              const std::string& model,
                                              const Gpus& gpus, int index);
  explicit EfficientNetForward(Params params) : params_(std::move(params)) {}

  [[nodiscard]] Footprint memory(const StageContext& context) const override;
  void open(StageContext& context) override;
  void close() noexcept override;

  [[nodiscard]] Caps caps() const override { return {}; }
  [[nodiscard]] Result forward(const Step& step) override;

 private:
  Params params_;
  std::unique_ptr<Reference> reference_;  ///< or
  std::unique_ptr<native::Network> native_;
};

}  // namespace penstock::efficientnet
