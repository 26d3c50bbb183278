#include "core/nms.h"

#include <algorithm>
#include <cstddef>

#include "lib/pictures/tracker.h"

namespace penstock::core {
namespace {

/// Boxes that became one, each by its score.
struct Sum {
  double left = 0, top = 0, right = 0, bottom = 0, weight = 0;

  void add(const Found& found) {
    const double score = found.score;
    left += score * found.box.left;
    top += score * found.box.top;
    right += score * found.box.right;
    bottom += score * found.box.bottom;
    weight += score;
  }
  [[nodiscard]] Box mean() const {
    const auto share = [this](double sum) {
      return static_cast<float>(sum / weight);
    };
    return {share(left), share(top), share(right), share(bottom)};
  }
};

/// The first of the kept ones that covers it too much; their number: none.
std::size_t cover_of(const Found& each, const std::vector<Found>& kept,
                     const NmsRules& rules) {
  const auto at =
      std::find_if(kept.begin(), kept.end(), [&](const Found& better) {
        if (rules.by_class && better.kind != each.kind) return false;
        return double{pictures::overlap_of(better.box, each.box)} >
               rules.overlap;
      });
  return static_cast<std::size_t>(at - kept.begin());
}

}  // namespace

std::vector<Found> best_boxes(std::vector<Found> found, const NmsRules& rules) {
  std::stable_sort(
      found.begin(), found.end(),
      [](const Found& a, const Found& b) { return a.score > b.score; });
  std::vector<Found> kept;
  std::vector<Sum> sums;
  for (const Found& each : found) {
    const std::size_t cover = cover_of(each, kept, rules);
    if (cover == kept.size()) {
      if (static_cast<std::int64_t>(cover) == rules.max) {
        if (!rules.mean) break;
        continue;
      }
      kept.push_back(each);
      sums.emplace_back();
    }
    if (rules.mean) sums[cover].add(each);
  }
  for (std::size_t i = 0; rules.mean && i < kept.size(); ++i) {
    if (sums[i].weight > 0) kept[i].box = sums[i].mean();
  }
  return kept;
}

}  // namespace penstock::core
