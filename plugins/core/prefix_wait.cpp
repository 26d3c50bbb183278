#include "core/prefix_wait.h"

#include <algorithm>

namespace penstock::core {
namespace {

/// Fewer tokens are computed as soon as they are waited for.
constexpr std::int64_t kWorthAWait = 16;

/// Tokens of `one` that `other` could go on from.
std::int64_t shared(const Sequence& one, const Sequence& other) {
  // Equal placeholders may stand for other pictures.
  if (!one.item->inputs.empty() || !other.item->inputs.empty()) return 0;
  const auto pair = std::mismatch(one.tokens.begin(), one.tokens.end(),
                                  other.tokens.begin(), other.tokens.end());
  // Its last token runs anyway: its scores are what comes next.
  const std::int64_t common = std::min<std::int64_t>(
      pair.first - one.tokens.begin(), std::ssize(other.tokens) - 1);
  return other.want.from >= 0 ? std::min(common, other.want.from) : common;
}

}  // namespace

void PrefixWait::computes(const Sequence& sequence, std::int64_t begin,
                          std::int64_t priority) {
  if (!caps_.can_copy) return;
  computed_.push_back(
      {.sequence = &sequence, .begin = begin, .priority = priority});
}

bool PrefixWait::waits(const Sequence& sequence, std::int64_t found,
                       std::int64_t priority) {
  Computed* best = nullptr;
  std::int64_t most = found + kWorthAWait - 1;
  for (Computed& each : computed_) {
    if (each.priority < priority) continue;
    const std::int64_t common = shared(*each.sequence, sequence);
    // What is computed already, and was not found, cannot be copied.
    if (common <= most || common <= each.begin) continue;
    most = common;
    best = &each;
  }
  if (best == nullptr) return false;
  if (caps_.rollback < kAll - most) {
    best->end = std::min(best->end, most + caps_.rollback);
  }
  return true;
}

void PrefixWait::cut(Plan& plan) const {
  for (const Computed& each : computed_) {
    if (each.end == kAll) continue;
    for (Slice& slice : plan.slices) {
      if (slice.sequence != each.sequence) continue;
      slice.count = std::min(slice.count, each.end - each.begin);
    }
  }
}

}  // namespace penstock::core
