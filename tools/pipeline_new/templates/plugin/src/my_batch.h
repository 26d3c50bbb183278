// my_plugin.my_batch: who runs together now, in which rectangle?
#pragma once

#include <cstdint>

#include "penstock/batch.h"

namespace my_plugin {

/// Whole prompts, first come, first served; tokens end to end (packed).
class MyBatchStage final : public penstock::Batch {
 public:
  struct Params {
    std::int64_t max_sequences = 4;
  };
  static void declare(penstock::Declaration<MyBatchStage>& d);
  explicit MyBatchStage(const Params& params) : params_(params) {}

  [[nodiscard]] int max_sequences() const override;
  [[nodiscard]] penstock::Plan plan(const penstock::Offer& offer) override;
  [[nodiscard]] penstock::Tensors collate(
      std::span<const penstock::Slice> slices) override;

 private:
  Params params_;
};

}  // namespace my_plugin
