#include "testing/masked.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "penstock/error.h"

namespace penstock::testing {
namespace {

constexpr double kLeast = -std::numeric_limits<double>::infinity();
/// A sum of exponents in floats, in whatever order.
constexpr double kNormRounding = 1e-4;

/// One position's true scores, -inf where a token is not allowed.
class Row {
 public:
  Row(const at::Tensor& unmasked, const Position& position, double tolerance)
      : tolerance_(tolerance) {
    const at::Tensor values = unmasked.cpu().to(at::kDouble).contiguous();
    const auto* from = values.const_data_ptr<double>();
    scores_.assign(from, from + values.numel());
    const TokenSet* allowed = position.allowed();
    if (allowed == nullptr) return;
    for (std::size_t id = 0; id < scores_.size(); ++id) {
      if (!allowed->contains(static_cast<std::int64_t>(id))) {
        scores_[id] = kLeast;
      }
    }
  }
  [[nodiscard]] std::int64_t size() const {
    return static_cast<std::int64_t>(scores_.size());
  }
  [[nodiscard]] std::int64_t allowed() const {
    return std::count_if(scores_.begin(), scores_.end(),
                         [](double score) { return score != kLeast; });
  }
  [[nodiscard]] double at(std::int64_t id) const {
    return scores_[static_cast<std::size_t>(id)];
  }
  [[nodiscard]] bool is(std::int64_t id, double score) const {
    const double wanted = at(id);
    return score == wanted || std::abs(score - wanted) <= tolerance_;
  }
  [[nodiscard]] double norm() const {
    const double most = *std::max_element(scores_.begin(), scores_.end());
    double sum = 0;
    for (const double each : scores_) sum += std::exp(each - most);
    return most + std::log(sum);
  }
  /// The best that is not among `ids`.
  [[nodiscard]] double best_but(const std::set<std::int64_t>& ids) const {
    double best = kLeast;
    for (std::int64_t id = 0; id < size(); ++id) {
      if (!ids.contains(id)) best = std::max(best, at(id));
    }
    return best;
  }
  [[nodiscard]] double tolerance() const { return tolerance_; }

 private:
  std::vector<double> scores_;
  double tolerance_;
};

std::string best_fault(const Scores& scores, std::int64_t row, const Row& truth,
                       std::int64_t top) {
  std::set<std::int64_t> seen;
  double last = -kLeast;
  const std::int64_t count = std::min(top, truth.allowed());
  for (std::int64_t i = 0; i < std::min(top, truth.size()); ++i) {
    const auto id = scores.ids[row][i].item<std::int64_t>();
    const auto value = scores.values[row][i].item<double>();
    if (i >= count) {
      if (id == -1 && value == kLeast) continue;
      return str("place ", i, " has id ", id, ", but only ", count,
                 " tokens are allowed");
    }
    if (id < 0 || id >= truth.size() || truth.at(id) == kLeast) {
      return str("place ", i, " has id ", id, ", which is not allowed");
    }
    if (!truth.is(id, value)) {
      return str("id ", id, " has the score ", value, ", not ", truth.at(id));
    }
    if (value > last) return str("place ", i, " is better than that before");
    if (!seen.insert(id).second) return str("id ", id, " is there twice");
    last = value;
  }
  if (count > 0 && truth.best_but(seen) > last + truth.tolerance()) {
    return "a better one was left out";
  }
  return "";
}

std::string rest_fault(const Scores& scores, std::int64_t row, const Row& truth,
                       const Want& want) {
  if (want.norm) {
    const auto norm = scores.norm[row].item<double>();
    if (!(std::abs(norm - truth.norm()) <= truth.tolerance() + kNormRounding)) {
      return str("the norm is ", norm, ", not ", truth.norm());
    }
  }
  for (std::int64_t id = 0; want.full && id < truth.size(); ++id) {
    const auto score = scores.full[row][id].item<double>();
    if (!truth.is(id, score)) {
      return str("of all scores, that of ", id, " is ", score, ", not ",
                 truth.at(id));
    }
  }
  for (std::size_t i = 0; i < want.ids.size(); ++i) {
    const auto score =
        scores.at[row][static_cast<std::int64_t>(i)].item<double>();
    if (!truth.is(want.ids[i], score)) {
      return str("of the wanted ids, ", want.ids[i], " has the score ", score,
                 ", not ", truth.at(want.ids[i]));
    }
  }
  return "";
}

}  // namespace

std::shared_ptr<const TokenSet> any_set(std::int64_t i, std::int64_t vocab) {
  Tokens ids;
  switch (i % 4) {
    case 0:
      return nullptr;
    case 1:
      ids = {i * 7 % vocab};
      break;
    case 2:
      for (std::int64_t n = 0; n < 4; ++n) ids.push_back((i + n * 5) % vocab);
      break;
    default:
      for (std::int64_t id = 0; id < vocab; ++id) {
        if ((id + i) % 3 != 0) ids.push_back(id);
      }
  }
  return std::make_shared<const TokenSet>(std::move(ids));
}

std::string masked_fault(const Scores& scores, std::int64_t row,
                         const at::Tensor& unmasked, const Position& position,
                         double tolerance) {
  const Row truth(unmasked, position, tolerance);
  const Want& want = position.sequence->want;
  std::string fault = best_fault(scores, row, truth, want.top);
  if (fault.empty()) fault = rest_fault(scores, row, truth, want);
  if (fault.empty() || position.allowed() == nullptr) return fault;
  return str("of ", position.allowed()->size(), " allowed tokens, ", fault);
}

}  // namespace penstock::testing
