// What a step's positions want of the vocabulary, and no more: the best few by
// the screen, every score where something needs it, and of a position where
// only some tokens are allowed those tokens' rows alone.
#pragma once

#include <span>
#include <vector>

#include "lib/kernels/screened_head.h"
#include "penstock/forward.h"

namespace penstock::gemma::native {

class Head {
 public:
  /// Positions whose scores are found in one pass over the vocabulary.
  static constexpr std::int64_t kTogether = 16;
  /// `output` [vocab, hidden] must live as long as this.
  Head(const WeightTensor& output, std::span<const float> norm);

  /// Bytes that the constructor will take.
  [[nodiscard]] static std::int64_t bytes(const WeightTensor& output) {
    return kernels::ScreenedHead::bytes(output);
  }

  /// Of hidden states f32[R, hidden], those of the step's scored positions.
  [[nodiscard]] Scores scores(const at::Tensor& hidden, const Step& step);

 private:
  struct Wanted;
  /// Some of a step's positions: their places among all, and their states.
  struct Part {
    const std::vector<Position>& positions;
    std::span<const std::int64_t> rows;
    at::Tensor hidden;

    [[nodiscard]] const Position& at(std::size_t i) const;
    [[nodiscard]] const float* state(std::size_t i) const;
  };

  [[nodiscard]] Scores open(const Part& part, const Step& step,
                            const Wanted& wanted);
  [[nodiscard]] Scores best(const Part& part, std::int64_t k);
  void pick(const Part& part, const Wanted& wanted, Scores& scores) const;
  void set_listed(const Position& position, const float* state,
                  std::int64_t row, Scores& scores) const;
  [[nodiscard]] Scores mixed(const at::Tensor& hidden, const Step& step,
                             const Wanted& wanted);

  std::int64_t vocab_, columns_;
  kernels::ScreenedHead head_;
};

}  // namespace penstock::gemma::native
