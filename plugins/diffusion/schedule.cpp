#include "diffusion/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "penstock/error.h"

namespace penstock::diffusion {
namespace {

using Numbers = std::vector<double>;

/// As numpy.linspace.
Numbers spaced(double first, double last, std::int64_t count) {
  Numbers out;
  const double step =
      count > 1 ? (last - first) / static_cast<double>(count - 1) : 0;
  for (std::int64_t i = 0; i < count; ++i) {
    out.push_back(first + step * static_cast<double>(i));
  }
  return out;
}

Numbers betas_of(const ScheduleParams& params) {
  const std::int64_t count = params.train_steps;
  if (params.betas == "linear") {
    return spaced(params.beta_start, params.beta_end, count);
  }
  if (params.betas == "scaled_linear") {
    Numbers out =
        spaced(std::sqrt(params.beta_start), std::sqrt(params.beta_end), count);
    for (double& beta : out) beta *= beta;
    return out;
  }
  const auto bar = [](double t) {
    const double cosine = std::cos((t + 0.008) / 1.008 * std::numbers::pi / 2);
    return cosine * cosine;
  };
  Numbers out;
  const auto all = static_cast<double>(count);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto at = static_cast<double>(i);
    out.push_back(std::min(1 - bar((at + 1) / all) / bar(at / all), 0.999));
  }
  return out;
}

/// The signal's share of variance at each step of the training.
Numbers signal_of(const ScheduleParams& params) {
  Numbers out = betas_of(params);
  double product = 1;
  for (double& value : out) value = product *= 1 - value;
  return out;
}

Numbers rounded(Numbers numbers) {
  for (double& each : numbers) each = std::nearbyint(each);
  return numbers;
}

/// Last to first; each scheduler counts a little differently.
Numbers timesteps_of(const ScheduleParams& params) {
  const bool is_dpm = params.scheduler == "dpmpp_2m";
  const std::int64_t steps = params.steps;
  const auto all = static_cast<double>(params.train_steps);
  Numbers out;
  if (params.spacing == "trailing") {
    for (std::int64_t i = 0; i < steps; ++i) {
      const auto at = static_cast<double>(i);
      out.push_back(
          std::nearbyint(all - at * all / static_cast<double>(steps)) - 1);
    }
    return out;
  }
  // That of DPM++ leaves out the last of one step more.
  const std::int64_t count = is_dpm ? steps + 1 : steps;
  if (params.spacing == "leading") {
    const auto ratio = static_cast<double>(params.train_steps / count);
    const auto offset = static_cast<double>(params.steps_offset);
    for (std::int64_t i = count; i-- > 0;) {
      out.push_back(static_cast<double>(i) * ratio + offset);
    }
  } else {
    out = spaced(0, all - 1, count);
    if (params.scheduler != "euler") out = rounded(std::move(out));
    std::reverse(out.begin(), out.end());
  }
  out.resize(static_cast<std::size_t>(steps));
  return out;
}

/// As numpy.interp of what is known at 0, 1, 2, ...
double between(const Numbers& known, double at) {
  const double last = static_cast<double>(known.size() - 1);
  const double place = std::clamp(at, 0.0, last);
  const auto low = static_cast<std::size_t>(place);
  const std::size_t high = std::min(low + 1, known.size() - 1);
  const double share = place - static_cast<double>(low);
  return known[low] * (1 - share) + known[high] * share;
}

Numbers karras_sigmas(double least, double most, std::int64_t count) {
  constexpr double kRho = 7;
  const double first = std::pow(most, 1 / kRho);
  const double last = std::pow(least, 1 / kRho);
  Numbers out = spaced(first, last, count);
  for (double& sigma : out) sigma = std::pow(sigma, kRho);
  return out;
}

/// The step of the training that has this sigma, by its logarithm.
double timestep_of(const Numbers& all, double sigma) {
  const double wanted = std::log(std::max(sigma, 1e-10));
  const auto above = std::upper_bound(
      all.begin(), all.end(), wanted,
      [](double value, double known) { return value < std::log(known); });
  const auto found = above == all.begin() ? 0 : above - all.begin() - 1;
  const auto low = std::min(static_cast<std::size_t>(found), all.size() - 2);
  const double begin = std::log(all[low]);
  const double end = std::log(all[low + 1]);
  const double share = std::clamp((begin - wanted) / (begin - end), 0.0, 1.0);
  return static_cast<double>(low) + share;
}

}  // namespace

std::string conflict_of(const ScheduleParams& params) {
  if (params.steps + (params.scheduler == "dpmpp_2m" ? 1 : 0) >
      params.train_steps) {
    return str("steps: ", params.steps, " are more than the model's ",
               params.train_steps, " (train_steps)");
  }
  if (params.beta_start >= params.beta_end) {
    return "beta_start is not below beta_end";
  }
  if (params.karras && params.scheduler == "ddim") {
    return "karras: ddim has no sigmas; take euler or dpmpp_2m";
  }
  return "";
}

Schedule::Schedule(const ScheduleParams& params)
    : timesteps(timesteps_of(params)) {
  const Numbers signal = signal_of(params);
  Numbers all;
  for (const double share : signal) {
    all.push_back(std::sqrt((1 - share) / share));
  }
  const double last = params.alpha_to_one ? 1 : signal.front();
  const double stride = static_cast<double>(params.train_steps / params.steps);
  for (const double at : timesteps) {
    sigmas.push_back(between(all, at));
    alphas.push_back(between(signal, at));
    next_alphas.push_back(at - stride >= 0 ? between(signal, at - stride)
                                           : last);
  }
  if (params.karras) {
    const bool is_dpm = params.scheduler == "dpmpp_2m";
    sigmas = karras_sigmas(is_dpm ? all.front() : sigmas.back(),
                           is_dpm ? all.back() : sigmas.front(), params.steps);
    for (std::size_t i = 0; i < timesteps.size(); ++i) {
      const double at = timestep_of(all, sigmas[i]);
      timesteps[i] = is_dpm ? std::nearbyint(at) : at;
    }
  }
  if (params.scheduler == "euler") {
    const double most = sigmas.front();
    first_scale =
        params.spacing == "leading" ? std::sqrt(most * most + 1) : most;
  }
  sigmas.push_back(0);
}

}  // namespace penstock::diffusion
