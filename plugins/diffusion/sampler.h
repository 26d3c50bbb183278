// One sample on its way from noise: what the model is asked next, and what its
// answer makes of the sample.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <utility>

#include "diffusion/schedule.h"

namespace penstock::diffusion {

class Sampler {
 public:
  /// `noise` is unit noise, f32 of the sample's shape.
  Sampler(ScheduleParams params, const at::Tensor& noise);

  [[nodiscard]] bool is_done() const {
    return step_ == schedule_.timesteps.size();
  }
  /// How many times the model was asked.
  [[nodiscard]] std::size_t step() const { return step_; }
  [[nodiscard]] std::size_t steps() const { return schedule_.timesteps.size(); }
  /// What the model is given next.
  [[nodiscard]] at::Tensor input() const;
  [[nodiscard]] double timestep() const { return schedule_.timesteps[step_]; }
  /// Takes what the model said of input().
  void advance(const at::Tensor& prediction);
  [[nodiscard]] const at::Tensor& sample() const { return sample_; }
  /// What the model made out behind the noise at the last step.
  [[nodiscard]] const at::Tensor& clean() const { return clean_; }

 private:
  /// Signal and noise in the sample at a sigma.
  struct Mix {
    double alpha = 1, sigma = 0;
  };
  [[nodiscard]] static Mix mix_of(double sigma);
  [[nodiscard]] at::Tensor clean_of(const at::Tensor& prediction,
                                    const Mix& mix) const;
  void ddim(const at::Tensor& prediction);
  void euler(const at::Tensor& prediction);
  void dpm(const at::Tensor& prediction);

  ScheduleParams params_;
  Schedule schedule_;
  at::Tensor sample_, clean_, last_clean_;
  std::size_t step_ = 0;
};

}  // namespace penstock::diffusion
