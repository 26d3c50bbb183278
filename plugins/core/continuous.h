// core.continuous: sequences join and leave between steps. Long prompts go in
// pieces (chunks) beside sequences that decode, so that nobody stalls, and
// nothing is padded.
#pragma once

#include "penstock/batch.h"

namespace penstock::core {

/// Output: tokens i64[sum of T], the sequences' slices end to end.
class Continuous final : public Batch {
 public:
  struct Params {
    std::int64_t max_sequences = 8;
    double max_wait_ms = 2;
    std::int64_t chunk = 512;
    std::int64_t max_step_tokens = 1024;
    bool prefix_cache = false;
  };
  static void declare(Declaration<Continuous>& d);
  explicit Continuous(const Params& params) : params_(params) {}

  [[nodiscard]] int max_sequences() const override {
    return static_cast<int>(params_.max_sequences);
  }
  [[nodiscard]] std::int64_t max_step_tokens() const override {
    return params_.chunk;
  }
  [[nodiscard]] bool shares_prefixes() const override {
    return params_.prefix_cache;
  }
  [[nodiscard]] Plan plan(const Offer& offer) override;
  [[nodiscard]] Tensors collate(std::span<const Slice> slices) override;

 private:
  Params params_;
};

}  // namespace penstock::core
