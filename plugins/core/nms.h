// Of boxes that cover each other, the best one or their mean: non-maximum
// suppression.
#pragma once

#include <cstdint>
#include <vector>

#include "lib/pictures/placement.h"

namespace penstock::core {

using pictures::Box;

/// What a detector found.
struct Found {
  Box box;
  float score = 0;
  std::int64_t kind = 0;  ///< number of its class
};

struct NmsRules {
  double overlap = 0.5;    ///< intersection over union that is too much
  bool by_class = true;    ///< boxes of other classes do not matter
  std::int64_t max = 100;  ///< most that are kept
  /// A kept box is the mean of itself and those that it suppresses, each by its
  /// score, as MediaPipe's weighted suppression has it.
  bool mean = false;
};

/// Those that are kept, best first; of equal scores the earlier one.
[[nodiscard]] std::vector<Found> best_boxes(std::vector<Found> found,
                                            const NmsRules& rules);

}  // namespace penstock::core
