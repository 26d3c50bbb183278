// echo.forward: scores under which a prompt follows itself.
#pragma once

#include "penstock/forward.h"

namespace penstock::echo {

/// Input: tokens i64[T] below 257. Output: scores f32[R,257]: of a prompt's own
/// tokens each predicts the next, then the prompt comes once more, then the
/// end, id 256. What comes next follows from the number of tokens alone, so its
/// slots hold nothing: every state is right, whatever is cut, copied or cached.
class EchoForward final : public Forward {
 public:
  struct Params {
    double confidence = 10;
  };
  static void declare(Declaration<EchoForward>& d);
  explicit EchoForward(const Params& params) : params_(params) {}

  void open(StageContext& context) override;
  [[nodiscard]] Caps caps() const override;
  [[nodiscard]] Result forward(const Step& step) override;

 private:
  Params params_;
  int slots_ = 0;
};

}  // namespace penstock::echo
