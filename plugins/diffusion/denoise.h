// diffusion.denoise: asks a model again and again what of a sample is noise,
// and takes some of it away each time.
#pragma once

#include <string>
#include <utility>

#include "diffusion/sampler.h"
#include "penstock/decode.h"

namespace penstock::diffusion {

/// Input: prediction f32[B,...] of the sample's shape, or with twice its
/// channels (the second half, a learned variance, is left out). Output: sample
/// f32[...], previews before it where they are asked for. It sets the
/// model's inputs sample, timestep and, with guidance, condition.
class Denoise final : public Decode {
 public:
  struct Params : ScheduleParams {
    double guidance = 1;
    double empty = 0;
    std::int64_t preview_every = 0;
  };
  static void declare(Declaration<Denoise>& d);
  explicit Denoise(Params params) : params_(std::move(params)) {}

  void start(Sequence& sequence) override;
  void decode(const Step& step, const Result& picked,
              std::vector<Next>& out) override;

 private:
  void take(const at::Tensor& prediction, const Item& item, Next& next) const;

  Params params_;
};

}  // namespace penstock::diffusion
