#include "runtime/slots.h"

#include <algorithm>

namespace penstock {
namespace {

std::int64_t common_prefix(const Tokens& a, const Tokens& b) {
  const auto pair = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return pair.first - a.begin();
}

std::int64_t size(const Tokens& tokens) {
  return static_cast<std::int64_t>(tokens.size());
}

}  // namespace

Slots::Slots(Forward& forward, const Caps& caps)
    : forward_(forward),
      caps_(caps),
      slots_(static_cast<std::size_t>(std::max(0, caps.slots))) {}

void Slots::take(Row& row) {
  Slot* const parked = find_parked(row);
  if (parked == nullptr) {
    take_empty(row);
    return;
  }
  row.cached = 0;  // until sync() has looked
  row.is_fresh = false;
  row.slot = static_cast<int>(parked - slots_.data());
  reused_ +=
      std::min(common_prefix(parked->held, row.tokens), size(row.tokens) - 1);
  parked->is_used = true;
  parked->affinity.clear();
}

/// One that the row can go on from: what it holds beyond the row can be cut.
Slots::Slot* Slots::find_parked(const Row& row) {
  const std::string& affinity = row.sample->request->affinity;
  // Equal placeholders may stand for other pictures.
  if (affinity.empty() || !row.sample->inputs.empty()) return nullptr;
  Slot* best = nullptr;
  std::int64_t most = 0;
  for (Slot& slot : slots_) {
    if (slot.is_used || slot.affinity != affinity) continue;
    std::int64_t prefix =
        std::min(common_prefix(slot.held, row.tokens), size(row.tokens) - 1);
    if (row.want.from >= 0) prefix = std::min(prefix, row.want.from);
    const std::int64_t drop = size(slot.held) - prefix;
    if (prefix <= most || drop > caps_.rollback) continue;
    most = prefix;
    best = &slot;
  }
  return best;
}

void Slots::take_empty(Row& row) {
  row.cached = 0;
  row.is_fresh = true;
  if (slots_.empty()) return;  // stateless
  Slot* found = nullptr;
  for (Slot& slot : slots_) {
    if (slot.is_used) continue;
    const bool is_better =
        found == nullptr || slot.parked_at < found->parked_at;
    if (is_better) found = &slot;
  }
  if (found == nullptr) {
    throw Error(Code::kInternal, "no slot is free for an admitted row");
  }
  row.slot = static_cast<int>(found - slots_.data());
  if (!found->affinity.empty()) forward_.release(row.slot);
  *found = Slot();
  found->is_used = true;
}

void Slots::give_back(Row& row) {
  if (row.slot < 0) return;
  Slot& slot = of(row);
  const std::string& affinity = row.sample->request->affinity;
  if (!affinity.empty() && !slot.held.empty() && row.sample->inputs.empty()) {
    slot.is_used = false;
    slot.affinity = affinity;
    slot.parked_at = ++parked_;
  } else {
    forward_.release(row.slot);
    slot = Slot();
  }
  row.slot = -1;
}

void Slots::spoil(const Row& row) {
  if (row.slot >= 0) of(row).held.clear();
}

void Slots::extend(const Row& row, std::int64_t begin, std::int64_t count) {
  if (row.slot < 0) return;
  Tokens& held = of(row).held;
  held.resize(static_cast<std::size_t>(begin));
  for (std::int64_t i = begin; i < begin + count; ++i) {
    held.push_back(row.token(i));
  }
}

void Slots::reset(Row& row) {
  row.cached = 0;
  row.is_fresh = true;
  if (row.slot < 0) return;
  forward_.release(row.slot);
  of(row).held.clear();
}

void Slots::sync(Row& row, bool is_rewound) {
  if (row.slot < 0) {
    row.cached = 0;
    return;
  }
  if (row.tokens.empty()) return;  // recurrent: nothing to compare
  Tokens& held = of(row).held;
  // The last token must run: its scores are what comes next.
  std::int64_t keep =
      std::min(common_prefix(held, row.tokens), size(row.tokens) - 1);
  if (is_rewound && row.want.from >= 0) keep = std::min(keep, row.want.from);
  const std::int64_t drop = size(held) - keep;
  if (drop > 0 && (drop <= caps_.rollback || caps_.rollback == kAll)) {
    forward_.truncate(row.slot, keep);
    held.resize(static_cast<std::size_t>(keep));
    ++truncates_;
  } else if (drop > 0) {
    reset(row);
    ++replays_;
    keep = 0;
  }
  row.cached = keep;
}

void Slots::fork(const Row& parent, Row& child) {
  take_empty(child);
  const bool has_state = parent.slot >= 0 && child.slot >= 0;
  if (!has_state || !caps_.can_copy) return;
  forward_.copy(parent.slot, child.slot);
  of(child).held = of(parent).held;
  child.is_fresh = false;
  ++copies_;
}

}  // namespace penstock
