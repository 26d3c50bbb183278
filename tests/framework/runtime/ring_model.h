// RingModel: a Forward whose scores are a hash of the last kWindow tokens. It
// reads them only from a step's inputs and from its own rings, so a runtime
// that shows it a wrong token, or keeps a wrong state, gets wrong scores.
#pragma once

#include "penstock/forward.h"
#include "tests/framework/runtime/fakes.h"

namespace penstock::fakes {

class RingModel final : public Forward {
 public:
  using Params = fakes::Params;
  static void declare(Declaration<RingModel>& d);
  explicit RingModel(const Params& params) : script_(script_of(params)) {}

  void open(StageContext& context) override;
  [[nodiscard]] Caps caps() const override;
  [[nodiscard]] Result forward(const Step& step) override;
  void release(int slot) noexcept override;
  void truncate(int slot, std::int64_t length) override;
  void copy(int from, int to) override;
  /// A MiB for each token.
  [[nodiscard]] std::int64_t state_bytes(int slot) const override {
    return rings_.at(static_cast<std::size_t>(slot)).length << 20;
  }

 private:
  struct Cell {
    std::int64_t position = -1, token = -1;
  };
  struct Ring {
    std::vector<Cell> cells;
    std::int64_t length = 0, most = 0;
  };
  [[nodiscard]] static std::vector<Tokens> shown(const Step& step);
  void score(const Slice& slice, const Tokens& tokens, std::vector<float>& out);
  [[nodiscard]] Ring& ring(int slot) {
    return rings_.at(static_cast<std::size_t>(slot));
  }

  Script& script_;
  std::vector<Ring> rings_;
};

/// The score of token v after `recent`, the last tokens, oldest first.
[[nodiscard]] float score_of(const Tokens& recent, std::int64_t v);

}  // namespace penstock::fakes
