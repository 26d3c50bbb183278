// core.pad: static batches. Sequences start together, as a rectangle with a
// mask, and the next batch starts when the last of them has ended: what a first
// course on inference shows.
#pragma once

#include <utility>

#include "penstock/batch.h"

namespace penstock::core {

/// Outputs: input_ids i64[B,Tmax], attention_mask i64[B,Tmax] (1: a token).
class Pad final : public Batch {
 public:
  struct Params {
    std::int64_t max_sequences = 8;
    double max_wait_ms = 20;
    std::string side = "left";
    std::int64_t pad_id = 0;
    std::int64_t max_length = 0;
    std::string truncate = "right";
  };
  static void declare(Declaration<Pad>& d);
  explicit Pad(Params params) : params_(std::move(params)) {}

  [[nodiscard]] int max_sequences() const override {
    return static_cast<int>(params_.max_sequences);
  }
  void admit(Item& item) override;
  [[nodiscard]] Plan plan(const Offer& offer) override;
  [[nodiscard]] Tensors collate(std::span<const Slice> slices) override;

 private:
  Params params_;
};

}  // namespace penstock::core
