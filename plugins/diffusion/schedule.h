// When a model that takes noise away is asked, and how much noise there is
// then: the numbers of a scheduler, without a tensor.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace penstock::diffusion {

/// What was chosen when the model was trained, and how it is sampled. The
/// words are those of diffusers' scheduler_config.json.
struct ScheduleParams {
  std::string scheduler = "ddim";  ///< ddim, euler, dpmpp_2m
  std::int64_t steps = 20;
  std::int64_t train_steps = 1000;
  std::string betas = "linear";  ///< linear, scaled_linear, cosine
  double beta_start = 0.0001;
  double beta_end = 0.02;
  std::string prediction = "epsilon";  ///< epsilon, v, sample
  std::string spacing = "leading";     ///< leading, trailing, linspace
  std::int64_t steps_offset = 0;
  bool karras = false;       ///< sigmas of Karras et al.; not for ddim
  bool clip = false;         ///< the clean sample to [-1, 1]; ddim
  bool alpha_to_one = true;  ///< nothing of the noise is left; ddim
};

/// What is wrong between them, or "".
[[nodiscard]] std::string conflict_of(const ScheduleParams& params);

struct Schedule {
  /// Takes params without a conflict.
  explicit Schedule(const ScheduleParams& params);

  std::vector<double> timesteps;  ///< what the model is told, first to last
  /// Noise by signal, sigma / alpha, of each step and behind the last.
  std::vector<double> sigmas;
  /// Share of the signal's variance, of each step and behind it; ddim.
  std::vector<double> alphas, next_alphas;
  double first_scale = 1;  ///< of unit noise at the first step
};

}  // namespace penstock::diffusion
