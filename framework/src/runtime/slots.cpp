#include "runtime/slots.h"

#include <algorithm>

namespace penstock {
namespace {

/// Tokens that two rows must have in common before one goes on from the other:
/// fewer run again as fast.
constexpr std::int64_t kFewestShared = 16;

std::int64_t common_prefix(const Tokens& a, const Tokens& b) {
  const auto pair = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return pair.first - a.begin();
}

std::int64_t size(const Tokens& tokens) {
  return static_cast<std::int64_t>(tokens.size());
}

}  // namespace

Slots::Slots(Forward& forward, const Caps& caps, bool shares_prefixes)
    : forward_(forward),
      caps_(caps),
      shares_prefixes_(shares_prefixes),
      slots_(static_cast<std::size_t>(std::max(0, caps.slots))) {}

void Slots::take(Row& row) {
  const auto [found, prefix] = find_best(row);
  if (found == nullptr) {
    take_empty(row);
    return;
  }
  reused_ += prefix;
  if (found->is_used) {
    take_empty(row);
    copy(*found, row);
    return;
  }
  row.cached = 0;  // until sync() has looked
  row.is_fresh = false;
  row.slot = static_cast<int>(found - slots_.data());
  found->is_used = true;
  found->affinity.clear();
  found->parked_at = 0;
}

bool Slots::can_drop(const Slot& slot, std::int64_t count) const {
  return caps_.rollback == kAll || count <= caps_.rollback ||
         slot.most <= caps_.whole;
}

std::int64_t Slots::usable(const Slot& slot, const Row& row) const {
  // Equal placeholders may stand for other pictures.
  if (slot.has_inputs || !row.sample->inputs.empty()) return 0;
  const std::string& affinity = row.sample->request->affinity;
  const bool is_own =
      !slot.is_used && !affinity.empty() && slot.affinity == affinity;
  const bool is_free = shares_prefixes_ && slot.affinity.empty();
  const bool can_take = slot.is_used ? caps_.can_copy : slot.parked_at > 0;
  if (!is_own && !(is_free && can_take)) return 0;
  std::int64_t prefix =
      std::min(common_prefix(slot.held, row.tokens), size(row.tokens) - 1);
  if (row.want.from >= 0) prefix = std::min(prefix, row.want.from);
  if (!is_own && prefix < kFewestShared) return 0;
  return can_drop(slot, size(slot.held) - prefix) ? prefix : 0;
}

/// The one that holds most of the row; of equal ones one to be taken, which
/// costs less than to copy.
Slots::Found Slots::find_best(const Row& row) {
  Found best;
  for (Slot& slot : slots_) {
    const std::int64_t prefix = usable(slot, row);
    const bool is_cheaper = best.slot != nullptr && prefix == best.prefix &&
                            best.slot->is_used && !slot.is_used;
    if (prefix > best.prefix || is_cheaper) best = {&slot, prefix};
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
  if (found->parked_at > 0) forward_.release(row.slot);
  *found = Slot();
  found->is_used = true;
  found->has_inputs = !row.sample->inputs.empty();
}

void Slots::give_back(Row& row) {
  if (row.slot < 0) return;
  Slot& slot = of(row);
  const std::string& affinity = row.sample->request->affinity;
  const bool is_wanted = shares_prefixes_ || !affinity.empty();
  if (is_wanted && !slot.held.empty() && !slot.has_inputs) {
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
  of(row).most = std::max(of(row).most, size(held));
}

void Slots::reset(Row& row) {
  row.cached = 0;
  row.is_fresh = true;
  if (row.slot < 0) return;
  forward_.release(row.slot);
  of(row).held.clear();
  of(row).most = 0;
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
  if (drop > 0 && can_drop(of(row), drop)) {
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
  if (has_state && caps_.can_copy) copy(of(parent), child);
}

/// The row's slot is empty.
void Slots::copy(const Slot& from, Row& to) {
  forward_.copy(static_cast<int>(&from - slots_.data()), to.slot);
  Slot& slot = of(to);
  slot.held = from.held;
  slot.most = from.most;
  to.is_fresh = false;
  ++copies_;
}

}  // namespace penstock
