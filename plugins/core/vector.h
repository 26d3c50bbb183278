// core.vector: the vector that an encoder means for a text or a picture, from
// the states it gives for each place: an embedding.
#pragma once

#include <string>
#include <utility>

#include "penstock/decode.h"

namespace penstock::core {

/// Input: hidden f32[B,T,D], and what counts of it, which Batch made beside the
/// model's inputs: attention_mask [B,T]; with `pool: none` hidden f32[B,D].
/// Output: embedding f32[D].
class Vector final : public Decode {
 public:
  struct Params {
    std::string pool = "mean";
    std::string mask = "attention_mask";
    std::int64_t dimensions = 0;
    bool normalize = true;
  };
  static void declare(Declaration<Vector>& d);
  static Ports describe(const Params& params);
  explicit Vector(Params params) : params_(std::move(params)) {}

  [[nodiscard]] Result pick(const Step& step, Result result) override;
  void decode(const Step& step, const Result& picked,
              std::vector<Next>& out) override;

 private:
  [[nodiscard]] at::Tensor mean(const Step& step,
                                const at::Tensor& hidden) const;

  Params params_;
};

}  // namespace penstock::core
