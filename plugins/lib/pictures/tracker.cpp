#include "lib/pictures/tracker.h"

#include <algorithm>

namespace penstock::pictures {

float overlap_of(const Box& a, const Box& b) {
  const float width =
      std::max(0.0F, std::min(a.right, b.right) - std::max(a.left, b.left));
  const float height =
      std::max(0.0F, std::min(a.bottom, b.bottom) - std::max(a.top, b.top));
  const float shared = width * height;
  return shared / (a.area() + b.area() - shared);
}

std::vector<Tracker::Pair> Tracker::pairs(
    const std::vector<Thing>& seen) const {
  std::vector<Pair> out;
  for (std::size_t t = 0; t < tracks_.size(); ++t) {
    for (std::size_t i = 0; i < seen.size(); ++i) {
      if (tracks_[t].last.kind != seen[i].kind) continue;
      const float overlap = overlap_of(tracks_[t].last.box, seen[i].box);
      if (double{overlap} < rules_.overlap || !(overlap > 0)) continue;
      out.push_back({.overlap = overlap, .track = t, .thing = i});
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const Pair& a, const Pair& b) {
    return a.overlap > b.overlap;
  });
  return out;
}

std::vector<std::int64_t> Tracker::next(const std::vector<Thing>& seen) {
  std::vector<std::int64_t> numbers(seen.size(), 0);
  std::vector<bool> is_taken(tracks_.size(), false);
  for (const Pair& pair : pairs(seen)) {
    if (is_taken[pair.track] || numbers[pair.thing] != 0) continue;
    is_taken[pair.track] = true;
    Track& track = tracks_[pair.track];
    numbers[pair.thing] = track.number;
    track.last = seen[pair.thing];
    track.unseen = -1;  // made 0 below
  }
  for (Track& track : tracks_) ++track.unseen;
  std::erase_if(tracks_, [this](const Track& track) {
    return track.unseen > rules_.gap;
  });
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (numbers[i] != 0) continue;
    numbers[i] = ++numbers_;
    tracks_.push_back({.number = numbers[i], .last = seen[i]});
  }
  return numbers;
}

}  // namespace penstock::pictures
