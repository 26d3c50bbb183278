// core.rows: rows without tokens, such as a sound or a film, that take several
// steps. They join and leave between steps; Forward finds their inputs in the
// samples, as they differ in length.
#pragma once

#include "penstock/batch.h"

namespace penstock::core {

class Rows final : public Batch {
 public:
  struct Params {
    std::int64_t max_rows = 8;
    double max_wait_ms = 0;
  };
  static void declare(Declaration<Rows>& d);
  explicit Rows(const Params& params) : params_(params) {}

  [[nodiscard]] int max_rows() const override {
    return static_cast<int>(params_.max_rows);
  }
  [[nodiscard]] Plan plan(const penstock::Candidates& candidates) override;
  [[nodiscard]] Tensors collate(std::span<const Slice> slices) override;

 private:
  Params params_;
};

}  // namespace penstock::core
