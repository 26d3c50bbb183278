// my_plugin.my_forward: what does the model compute?
#pragma once

#include <ATen/core/Tensor.h>

#include "penstock/forward.h"

namespace my_plugin {

/// A model of bytes. Its weights are a table of what follows what, `follows`
/// f32[256,256] of the file that the pipeline's `model:` names; without a file,
/// what followed the last token before is likely to follow it again. It keeps
/// no state, so that each step sees a whole sequence; one that caches says in
/// caps() how many slots it has.
class MyForwardStage final : public penstock::Forward {
 public:
  struct Params {};
  static void declare(penstock::Declaration<MyForwardStage>& d);
  explicit MyForwardStage(const Params& /*params*/) {}

  [[nodiscard]] penstock::Footprint memory(
      const penstock::StageContext& context) const override;
  void open(penstock::StageContext& context) override;
  [[nodiscard]] penstock::Caps caps() const override;
  [[nodiscard]] penstock::Result forward(const penstock::Step& step) override;

 private:
  at::Tensor follows_;  ///< [256, 256]; undefined: there is no file
};

}  // namespace my_plugin
