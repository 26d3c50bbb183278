// my_plugin.my_decode: what do the scores mean, is it finished?
#pragma once

#include <cstdint>
#include <vector>

#include "penstock/decode.h"

namespace my_plugin {

/// Takes the best token until the model ends, or there are enough.
class MyDecodeStage final : public penstock::Decode {
 public:
  struct Params {
    std::int64_t max_new_tokens = 32;
  };
  static void declare(penstock::Declaration<MyDecodeStage>& d);
  explicit MyDecodeStage(const Params& /*params*/) {}

  void open(penstock::StageContext& context) override;
  void start(penstock::Sequence& sequence) override;
  void decode(const penstock::Step& step, const penstock::Result& picked,
              std::vector<penstock::Next>& out) override;

 private:
  penstock::Tokens eos_ids_;
};

}  // namespace my_plugin
