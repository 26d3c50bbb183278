// core.sample: picks each row's next token and says when the row is finished.
#pragma once

#include "penstock/decode.h"
#include "sampler.h"

namespace penstock::core {

/// Input: scores f32[R,V]. Output: tokens i64[N], one a step.
class SampleDecode final : public Decode {
 public:
  struct Params {
    double temperature = 0;
    std::int64_t top_k = 0;
    double top_p = 1;
    double min_p = 0;
    std::int64_t seed = 0;
    std::int64_t max_new_tokens = 64;
    std::vector<std::int64_t> stop_ids = {};
    bool ignore_eos = false;
  };
  static void declare(Declaration<SampleDecode>& d);
  explicit SampleDecode(const Params& /*params*/) {}

  void open(StageContext& context) override;
  void start(Row& row) override;
  void decode(const Step& step, const Result& picked,
              std::vector<Next>& out) override;

 private:
  [[nodiscard]] const Params& params_of(const Row& row) const;
  [[nodiscard]] static std::int64_t choose(const Slice& slice,
                                           const Params& params,
                                           const Scores& scores);
  [[nodiscard]] Finish finish(const Row& row, const Params& params,
                              std::int64_t token) const;

  Tokens eos_ids_;  ///< the model's own
  std::int64_t context_length_ = kAll;
};

}  // namespace penstock::core
