// my_plugin.my_forward: what does the model compute?
#pragma once

#include "penstock/forward.h"

namespace my_plugin {

/// A model of bytes without weights: what followed the last token before is
/// likely to follow it again. It keeps no state, so that each step sees a whole
/// sequence; one that caches says in caps() how many slots it has.
class MyForwardStage final : public penstock::Forward {
 public:
  struct Params {};
  static void declare(penstock::Declaration<MyForwardStage>& d);
  explicit MyForwardStage(const Params& /*params*/) {}

  /// A model with weights loads context.model here; see penstock/weights.h.
  void open(penstock::StageContext& context) override;
  [[nodiscard]] penstock::Caps caps() const override;
  [[nodiscard]] penstock::Result forward(const penstock::Step& step) override;
};

}  // namespace my_plugin
