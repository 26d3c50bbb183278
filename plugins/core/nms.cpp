#include "core/nms.h"

#include <algorithm>

namespace penstock::core {
namespace {

/// Intersection over union, in the arithmetic of torchvision.
float overlap_of(const Box& a, const Box& b) {
  const float width =
      std::max(0.0F, std::min(a.right, b.right) - std::max(a.left, b.left));
  const float height =
      std::max(0.0F, std::min(a.bottom, b.bottom) - std::max(a.top, b.top));
  const float shared = width * height;
  return shared / (a.area() + b.area() - shared);
}

}  // namespace

std::vector<Found> best_boxes(std::vector<Found> found, const NmsRules& rules) {
  std::stable_sort(
      found.begin(), found.end(),
      [](const Found& a, const Found& b) { return a.score > b.score; });
  std::vector<Found> kept;
  for (const Found& each : found) {
    if (static_cast<std::int64_t>(kept.size()) == rules.max) break;
    const bool is_covered =
        std::any_of(kept.begin(), kept.end(), [&](const Found& better) {
          if (rules.by_class && better.kind != each.kind) return false;
          return double{overlap_of(better.box, each.box)} > rules.overlap;
        });
    if (!is_covered) kept.push_back(each);
  }
  return kept;
}

}  // namespace penstock::core
