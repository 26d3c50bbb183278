// core.identity and core.outputs: tensors through the loop as they are.
#pragma once

#include "penstock/decode.h"
#include "penstock/forward.h"

namespace penstock::core {

/// A model that gives what it is given: input and output is every tensor that
/// preprocess made. For pipelines that convert files, and to look at what a
/// model would see.
class Identity final : public Forward {
 public:
  struct Params {};
  static void declare(Declaration<Identity>& d);
  explicit Identity(const Params& /*params*/) {}

  [[nodiscard]] Caps caps() const override { return {}; }
  [[nodiscard]] Result forward(const Step& step) override;
};

/// Output: every named tensor of the model, one row of it an item, on the CPU.
class Outputs final : public Decode {
 public:
  struct Params {};
  static void declare(Declaration<Outputs>& d);
  explicit Outputs(const Params& /*params*/) {}

  void decode(const Step& step, const Result& picked,
              std::vector<Next>& out) override;
};

}  // namespace penstock::core
