// Which of the things in a picture are those of the picture before: boxes get
// the number of the box that they cover most, greedily.
#pragma once

#include <cstdint>
#include <vector>

#include "lib/pictures/placement.h"

namespace penstock::pictures {

/// Intersection over union, from 0 to 1, in the arithmetic of torchvision. NaN
/// where neither box has an area.
[[nodiscard]] float overlap_of(const Box& a, const Box& b);

struct TrackRules {
  double overlap = 0.3;  ///< least that a box shares with its last place
  std::int64_t gap = 5;  ///< pictures in which it may be unseen
};

/// A thing of a picture, by its box and the number of its class.
struct Thing {
  Box box;
  std::int64_t kind = 0;
};

/// The pictures of one film, in their order.
class Tracker {
 public:
  explicit Tracker(const TrackRules& rules) : rules_(rules) {}

  /// The number of each thing of the next picture: that of the thing of its
  /// class whose last place it covers most, of all pairs the best first; else a
  /// new one. They count from 1 and are not used again.
  [[nodiscard]] std::vector<std::int64_t> next(const std::vector<Thing>& seen);

 private:
  struct Track {
    std::int64_t number = 0;
    Thing last;
    std::int64_t unseen = 0;  ///< pictures since
  };
  struct Pair {
    float overlap = 0;
    std::size_t track = 0, thing = 0;
  };
  /// Those that may be the same, the best first.
  [[nodiscard]] std::vector<Pair> pairs(const std::vector<Thing>& seen) const;

  TrackRules rules_;
  std::vector<Track> tracks_;
  std::int64_t numbers_ = 0;  ///< that were given
};

}  // namespace penstock::pictures
