// core.continuous: sequences join and leave between steps. Long prompts go in
// pieces (chunks) beside sequences that decode, so that nobody stalls, and
// nothing is padded. With `step_ms` or `step_ratio` the pieces are as large as
// fit into a time, which is learned from the steps before.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/fair_shares.h"
#include "core/plan_sequences.h"
#include "core/step_room.h"
#include "core/step_times.h"
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
    double step_ms = 0;
    double step_ratio = 0;
    bool prefix_cache = false;
    std::int64_t kept_mib = 0;
    std::int64_t priority = 0;
    std::string client = {};
    double weight = 1;
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
  [[nodiscard]] std::int64_t kept_bytes() const override {
    return params_.kept_mib > 0 ? params_.kept_mib << 20 : kAll;
  }
  [[nodiscard]] Plan plan(const Offer& offer) override;
  [[nodiscard]] Tensors collate(std::span<const Slice> slices) override;
  void observe(const Step& step, double seconds) override;

 private:
  /// As the sequence's request set them.
  [[nodiscard]] const Params& params_of(const Sequence& sequence) const;
  [[nodiscard]] std::int64_t priority(const Sequence& sequence) const;
  [[nodiscard]] std::vector<Sequence*> ordered(
      std::span<Sequence* const> sequences, bool are_running) const;
  [[nodiscard]] std::vector<Turn> turns(const Offer& in_order);
  [[nodiscard]] bool fills_by_time() const {
    return params_.step_ms > 0 || params_.step_ratio > 0;
  }
  /// Seconds that a step may take beside so many tokens of running answers.
  [[nodiscard]] double step_s(std::int64_t decoding) const;
  [[nodiscard]] StepRoom room(std::span<Sequence* const> running) const;

  Params params_;
  StepTimes times_;
  FairShares shares_;
};

}  // namespace penstock::core
