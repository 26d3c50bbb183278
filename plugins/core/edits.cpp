#include "core/edits.h"

#include <limits>

namespace penstock::core {

float edited(float score, const Edit& edit, const Penalties& penalties) {
  if (edit.is_banned) return -std::numeric_limits<float>::infinity();
  float out = score + edit.bias;
  if (edit.is_seen) {
    const auto repetition = static_cast<float>(penalties.repetition);
    out = out < 0 ? out * repetition : out / repetition;
  }
  if (edit.written > 0) {
    out -= static_cast<float>(penalties.frequency *
                                  static_cast<double>(edit.written) +
                              penalties.presence);
  }
  return out;
}

void apply(std::vector<Candidate>& candidates, const Edits& edits,
           const Penalties& penalties) {
  if (edits.empty()) return;
  for (Candidate& each : candidates) {
    const auto found = edits.find(each.id);
    if (found != edits.end()) {
      each.score = edited(each.raw, found->second, penalties);
    }
  }
}

}  // namespace penstock::core
