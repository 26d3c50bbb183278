#include "sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace penstock::core {
namespace {

void normalise(std::vector<double>& weights) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double& weight : weights) weight /= sum;
}

}  // namespace

std::vector<double> kept_probabilities(std::span<const float> scores,
                                       const Sampling& sampling) {
  std::size_t count = scores.size();
  if (sampling.top_k > 0) {
    count = std::min(count, static_cast<std::size_t>(sampling.top_k));
  }
  std::vector<double> kept;
  kept.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    kept.push_back(std::exp((scores[i] - scores[0]) / sampling.temperature));
  }
  normalise(kept);
  if (sampling.top_p < 1) {
    // The token that crosses top_p stays, as in transformers.
    double mass = 0;
    std::size_t stay = 0;
    while (stay < kept.size() && mass < sampling.top_p) mass += kept[stay++];
    kept.resize(std::max<std::size_t>(1, stay));
    normalise(kept);
  }
  if (sampling.min_p > 0) {
    const double least = sampling.min_p * kept.front();
    while (kept.size() > 1 && kept.back() < least) kept.pop_back();
    normalise(kept);
  }
  return kept;
}

std::size_t pick_index(std::span<const float> scores, const Sampling& sampling,
                       double random) {
  if (sampling.temperature == 0) return 0;
  const auto kept = kept_probabilities(scores, sampling);
  double mass = 0;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    mass += kept[i];
    if (random < mass) return i;
  }
  return kept.size() - 1;  // rounding left the sum a hair below 1
}

}  // namespace penstock::core
