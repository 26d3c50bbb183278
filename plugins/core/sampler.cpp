#include "core/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "penstock/error.h"

namespace penstock::core {
namespace {

/// Below it the scores would overflow.
constexpr double kLeastTemperature = 1e-30;

[[noreturn]] void nothing_left() {
  throw Error(
      Code::kData,
      "no token is left to choose from: all that a rule allows, or all, "
      "are banned; ban fewer (banned_ids, bad_words, "
      "no_repeat_ngram_size, min_new_tokens)");
}

/// Candidates best first, sorted no further than somebody looked: of 262,144
/// the first few decide.
class BestFirst {
 public:
  explicit BestFirst(std::vector<Candidate> all, std::size_t sorted = 0)
      : all_(std::move(all)), sorted_(sorted) {}

  [[nodiscard]] std::size_t size() const { return all_.size(); }
  const Candidate& at(std::size_t i) {
    while (i >= sorted_) {
      const std::size_t next =
          std::min(all_.size(), std::max<std::size_t>(64, sorted_ * 8));
      std::partial_sort(place(sorted_), place(next), all_.end(), is_better);
      sorted_ = next;
    }
    return all_[i];
  }
  void keep(std::size_t count) {
    at(count - 1);
    all_.resize(count);
    sorted_ = count;
  }
  [[nodiscard]] const std::vector<Candidate>& all() const { return all_; }

 private:
  std::vector<Candidate>::iterator place(std::size_t i) {
    return all_.begin() + static_cast<std::ptrdiff_t>(i);
  }

  std::vector<Candidate> all_;
  std::size_t sorted_;
};

/// The tokens that stay so far, with their weights relative to the best.
class Staying {
 public:
  explicit Staying(std::vector<Candidate> all) : order_(std::move(all)) {
    if (!std::isfinite(order_.at(0).score)) nothing_left();
  }

  [[nodiscard]] std::size_t size() const { return order_.size(); }
  const Candidate& at(std::size_t i) { return order_.at(i); }
  [[nodiscard]] double weight(const Candidate& candidate) {
    const float best = order_.at(0).score;
    return std::exp(static_cast<double>(candidate.score) - best);
  }
  [[nodiscard]] double mass() {
    double sum = 0;
    for (const Candidate& each : order_.all()) sum += weight(each);
    return sum;
  }

  void top_k(std::int64_t k) {
    auto count = static_cast<std::size_t>(k);
    if (k == 0 || count >= size()) return;
    const float least = at(count - 1).score;
    while (count < size() && at(count).score == least) ++count;
    order_.keep(count);
  }
  /// The token that crosses `share` stays.
  void top_p(double share) {
    if (share >= 1) return;
    const double enough = share * mass();
    std::size_t count = 0;
    double sum = 0;
    while (count < size() && (count == 0 || sum < enough)) {
      sum += weight(at(count++));
    }
    order_.keep(count);
  }
  void min_p(double share) {
    if (share <= 0) return;
    std::size_t count = 1;
    while (count < size() && weight(at(count)) >= share) ++count;
    order_.keep(count);
  }
  void typical_p(double share);

 private:
  BestFirst order_;
};

void Staying::typical_p(double share) {
  if (share >= 1) return;
  struct Surprise {
    float distance;  // of the token's surprise from the expected one
    double probability;
    Candidate candidate;
  };
  const double sum = mass();
  double entropy = 0;
  std::vector<Surprise> all;
  for (const Candidate& each : order_.all()) {
    const double probability = weight(each) / sum;
    if (probability == 0) continue;
    entropy -= probability * std::log(probability);
    all.push_back({0, probability, each});
  }
  for (Surprise& each : all) {
    each.distance =
        static_cast<float>(std::abs(-std::log(each.probability) - entropy));
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return a.distance < b.distance;
  });
  std::size_t last = 0;
  double before = all[0].probability;
  while (last + 1 < all.size() && before < share) {
    before += all[++last].probability;
  }
  const float limit = all[last].distance;
  std::vector<Candidate> stay;
  for (const Surprise& each : all) {
    if (each.distance <= limit) stay.push_back(each.candidate);
  }
  order_ = BestFirst(std::move(stay));
}

Staying staying(std::vector<Candidate> candidates, const Sampling& sampling) {
  // In transformers' precision, where a division can make equals.
  const auto divisor =
      static_cast<float>(std::max(sampling.temperature, kLeastTemperature));
  for (Candidate& each : candidates) each.score /= divisor;
  Staying out(std::move(candidates));
  out.top_k(sampling.top_k);
  out.top_p(sampling.top_p);
  out.min_p(sampling.min_p);
  out.typical_p(sampling.typical_p);
  return out;
}

/// The best; of equal ones the lowest id, as argmax takes it.
Candidate best_of(const std::vector<Candidate>& candidates) {
  Candidate best{
      .id = -1, .score = -std::numeric_limits<float>::infinity(), .raw = 0};
  for (const Candidate& each : candidates) {
    const bool is_first = each.score == best.score && each.id < best.id;
    if (each.score > best.score || is_first) best = each;
  }
  if (best.id < 0) nothing_left();
  return best;
}

}  // namespace

std::int64_t needed(const Sampling& sampling) {
  return sampling.temperature == 0 ? 1 : sampling.top_k;
}

std::vector<Weighted> kept(std::vector<Candidate> candidates,
                           const Sampling& sampling) {
  if (sampling.temperature == 0) return {{best_of(candidates).id, 1}};
  Staying all = staying(std::move(candidates), sampling);
  const double sum = all.mass();
  std::vector<Weighted> out;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Candidate& each = all.at(i);
    const double weight = all.weight(each);
    if (std::isfinite(each.score)) out.push_back({each.id, weight / sum});
  }
  return out;
}

Candidate draw(std::vector<Candidate> candidates, const Sampling& sampling,
               double random) {
  if (sampling.temperature == 0) return best_of(candidates);
  Staying all = staying(std::move(candidates), sampling);
  const double until = random * all.mass();
  double mass = 0;
  std::size_t i = 0;
  // Rounding may leave the sum a hair below: then the last that can be.
  for (;; ++i) {
    mass += all.weight(all.at(i));
    const bool is_last = i + 1 == all.size() || all.weight(all.at(i + 1)) == 0;
    if (mass > until || is_last) return all.at(i);
  }
}

}  // namespace penstock::core
