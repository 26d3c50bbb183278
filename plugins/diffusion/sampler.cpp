#include "diffusion/sampler.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/clamp.h>

#include <cmath>

namespace penstock::diffusion {

Sampler::Sampler(ScheduleParams params, const at::Tensor& noise)
    : params_(std::move(params)),
      schedule_(params_),
      sample_(noise * schedule_.first_scale) {}

Sampler::Mix Sampler::mix_of(double sigma) {
  const double alpha = 1 / std::sqrt(sigma * sigma + 1);
  return {.alpha = alpha, .sigma = sigma * alpha};
}

at::Tensor Sampler::input() const {
  if (params_.scheduler != "euler") return sample_;
  // Euler's sample has the signal at full strength.
  return sample_ * mix_of(schedule_.sigmas[step_]).alpha;
}

at::Tensor Sampler::clean_of(const at::Tensor& prediction,
                             const Mix& mix) const {
  if (params_.prediction == "sample") return prediction;
  if (params_.prediction == "v") {
    return sample_ * mix.alpha - prediction * mix.sigma;
  }
  return (sample_ - prediction * mix.sigma) / mix.alpha;
}

void Sampler::ddim(const at::Tensor& prediction) {
  const double share = schedule_.alphas[step_];
  const double next = schedule_.next_alphas[step_];
  const Mix mix{.alpha = std::sqrt(share), .sigma = std::sqrt(1 - share)};
  clean_ = clean_of(prediction, mix);
  at::Tensor noise = prediction;
  if (params_.prediction == "sample") {
    noise = (sample_ - clean_ * mix.alpha) / mix.sigma;
  } else if (params_.prediction == "v") {
    noise = prediction * mix.alpha + sample_ * mix.sigma;
  }
  if (params_.clip) clean_ = clean_.clamp(-1, 1);
  sample_ = clean_ * std::sqrt(next) + noise * std::sqrt(1 - next);
}

void Sampler::euler(const at::Tensor& prediction) {
  const double sigma = schedule_.sigmas[step_];
  if (params_.prediction == "v") {
    const double alpha = mix_of(sigma).alpha;
    clean_ = sample_ * (alpha * alpha) - prediction * (sigma * alpha);
  } else {
    clean_ = clean_of(prediction, {.alpha = 1, .sigma = sigma});
  }
  const double share = schedule_.sigmas[step_ + 1] / sigma - 1;
  sample_ = sample_ + (sample_ - clean_) * share;
}

/// DPM-Solver++(2M): the second order looks back at the step before.
void Sampler::dpm(const at::Tensor& prediction) {
  const auto distance = [this](std::size_t step) {  // log(alpha / sigma)
    return -std::log(schedule_.sigmas[step]);
  };
  const Mix now = mix_of(schedule_.sigmas[step_]);
  const Mix next = mix_of(schedule_.sigmas[step_ + 1]);
  clean_ = clean_of(prediction, now);
  const bool is_last = step_ + 1 == steps();
  const double h = is_last ? 0 : distance(step_ + 1) - distance(step_);
  const double gain = is_last ? 1 : 1 - std::exp(-h);
  at::Tensor made =
      sample_ * (next.sigma / now.sigma) + clean_ * (next.alpha * gain);
  if (!is_last && last_clean_.defined()) {
    const double before = distance(step_) - distance(step_ - 1);
    made =
        made + (clean_ - last_clean_) * (0.5 * next.alpha * gain * h / before);
  }
  last_clean_ = clean_;
  sample_ = made;
}

void Sampler::advance(const at::Tensor& prediction) {
  if (params_.scheduler == "ddim") {
    ddim(prediction);
  } else if (params_.scheduler == "euler") {
    euler(prediction);
  } else {
    dpm(prediction);
  }
  ++step_;
}

}  // namespace penstock::diffusion
