// core.ragged: sequences without tokens, such as a sound or a film, that take
// several steps. They join and leave between steps; Forward finds their inputs
// in the items, as they differ in length.
#pragma once

#include "penstock/batch.h"

namespace penstock::core {

class Ragged final : public Batch {
 public:
  struct Params {
    std::int64_t max_sequences = 8;
    double max_wait_ms = 0;
  };
  static void declare(Declaration<Ragged>& d);
  explicit Ragged(const Params& params) : params_(params) {}

  [[nodiscard]] int max_sequences() const override {
    return static_cast<int>(params_.max_sequences);
  }
  [[nodiscard]] Plan plan(const Offer& offer) override;
  [[nodiscard]] Tensors collate(std::span<const Slice> slices) override;

 private:
  Params params_;
};

}  // namespace penstock::core
