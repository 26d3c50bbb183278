// core.ctc: the text that a recogniser of lines or speech means, from a score
// for each character at each place: connectionist temporal classification.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "penstock/decode.h"

namespace penstock::core {

/// Input: logits f32[B,T,K], places by characters. Output: notes `text`, what
/// is left of the best class of each place without repeats and blanks, and
/// `score`, the mean of their scores; where nothing is found an empty text and
/// `best_score`.
class Ctc final : public Decode {
 public:
  struct Params {
    std::string labels;
    std::int64_t blank = 0;
    bool space = false;
    std::string activation = "none";
    double threshold = 0;
  };
  static void declare(Declaration<Ctc>& d);
  explicit Ctc(Params params) : params_(std::move(params)) {}

  void open(StageContext& context) override;
  [[nodiscard]] Result pick(const Step& step, Result result) override;
  void decode(const Step& step, const Result& picked,
              std::vector<Next>& out) override;

 private:
  /// One text by class, the blank's among them: `count` of them.
  void spell_classes(std::int64_t count);
  [[nodiscard]] at::Tensor scores_of(const at::Tensor& numbers,
                                     const at::Tensor& logits) const;
  [[nodiscard]] double best_score(const at::Tensor& logits) const;
  [[nodiscard]] Decoded text_of(const Result& picked, std::int64_t row,
                                double threshold) const;

  Params params_;
  std::vector<std::string> labels_;
  std::vector<std::string> spelled_;  ///< by class; empty: not yet known
};

}  // namespace penstock::core
