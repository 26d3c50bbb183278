#include "runtime/slots.h"

#include <algorithm>

namespace penstock {
namespace {

/// Tokens that two sequences must have in common before one goes on from the
/// other: fewer run again as fast.
constexpr std::int64_t kFewestShared = 16;

std::int64_t common_prefix(const Tokens& a, const Tokens& b) {
  const auto pair = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return pair.first - a.begin();
}

std::int64_t size(const Tokens& tokens) {
  return static_cast<std::int64_t>(tokens.size());
}

}  // namespace

Slots::Slots(Forward& forward, const Caps& caps, const Keeping& keeping)
    : forward_(forward),
      caps_(caps),
      keeping_(keeping),
      slots_(static_cast<std::size_t>(std::max(0, caps.slots))) {}

void Slots::acquire(Sequence& sequence) {
  const auto [found, prefix] = find_best(sequence);
  if (found == nullptr) {
    acquire_empty(sequence);
    return;
  }
  counts_.reused += prefix;
  if (found->is_used) {
    acquire_empty(sequence);
    copy(*found, sequence);
    return;
  }
  sequence.cached = 0;  // until sync() has looked
  sequence.is_fresh = false;
  sequence.slot = static_cast<int>(found - slots_.data());
  found->is_used = true;
  found->session.clear();
  found->parked_at = 0;
}

bool Slots::can_drop(const Slot& slot, std::int64_t count) const {
  return caps_.rollback == kAll || count <= caps_.rollback ||
         slot.most <= caps_.whole;
}

std::int64_t Slots::usable(const Slot& slot, const Sequence& sequence) const {
  // Equal placeholders may stand for other pictures.
  if (slot.has_inputs || !sequence.item->inputs.empty()) return 0;
  const std::string& session = sequence.item->request->session;
  const bool is_own =
      !slot.is_used && !session.empty() && slot.session == session;
  const bool is_free = keeping_.shares_prefixes && slot.session.empty();
  const bool can_take = slot.is_used ? caps_.can_copy : slot.parked_at > 0;
  if (!is_own && !(is_free && can_take)) return 0;
  std::int64_t prefix = std::min(common_prefix(slot.held, sequence.tokens),
                                 size(sequence.tokens) - 1);
  if (sequence.want.from >= 0) prefix = std::min(prefix, sequence.want.from);
  if (!is_own && prefix < kFewestShared) return 0;
  return can_drop(slot, size(slot.held) - prefix) ? prefix : 0;
}

/// The one that holds most of the sequence; of equal ones one to be taken,
/// which costs less than to copy.
Slots::Found Slots::find_best(const Sequence& sequence) {
  Found best;
  for (Slot& slot : slots_) {
    const std::int64_t prefix = usable(slot, sequence);
    const bool is_cheaper = best.slot != nullptr && prefix == best.prefix &&
                            best.slot->is_used && !slot.is_used;
    if (prefix > best.prefix || is_cheaper) best = {&slot, prefix};
  }
  return best;
}

void Slots::acquire_empty(Sequence& sequence) {
  sequence.cached = 0;
  sequence.is_fresh = true;
  if (slots_.empty()) return;  // stateless
  Slot* found = nullptr;
  for (Slot& slot : slots_) {
    if (slot.is_used) continue;
    const bool is_better =
        found == nullptr || slot.parked_at < found->parked_at;
    if (is_better) found = &slot;
  }
  if (found == nullptr) {
    throw Error(Code::kInternal, "no slot is free for an admitted sequence");
  }
  sequence.slot = static_cast<int>(found - slots_.data());
  if (found->parked_at > 0) forward_.release(sequence.slot);
  *found = Slot();
  found->is_used = true;
  found->has_inputs = !sequence.item->inputs.empty();
}

void Slots::release(Sequence& sequence) {
  if (sequence.slot < 0) return;
  Slot& slot = of(sequence);
  const std::string& session = sequence.item->request->session;
  const bool is_wanted = keeping_.shares_prefixes || !session.empty();
  if (is_wanted && !slot.held.empty() && !slot.has_inputs) {
    slot.is_used = false;
    slot.session = session;
    slot.parked_at = ++parked_;
    slot.bytes = forward_.state_bytes(sequence.slot);
    empty_oldest();
  } else {
    empty(slot);
  }
  sequence.slot = -1;
}

void Slots::empty(Slot& slot) {
  forward_.release(static_cast<int>(&slot - slots_.data()));
  slot = Slot();
}

/// As long as parked slots take more than they may.
void Slots::empty_oldest() {
  for (;;) {
    std::int64_t bytes = 0;
    Slot* oldest = nullptr;
    for (Slot& slot : slots_) {
      if (slot.parked_at == 0) continue;
      bytes += slot.bytes;
      const bool is_older =
          oldest == nullptr || slot.parked_at < oldest->parked_at;
      if (is_older) oldest = &slot;
    }
    if (bytes <= keeping_.bytes) return;
    empty(*oldest);
  }
}

void Slots::invalidate(const Sequence& sequence) {
  if (sequence.slot >= 0) of(sequence).held.clear();
}

void Slots::extend(const Sequence& sequence, std::int64_t begin,
                   std::int64_t count) {
  if (sequence.slot < 0) return;
  Tokens& held = of(sequence).held;
  held.resize(static_cast<std::size_t>(begin));
  for (std::int64_t i = begin; i < begin + count; ++i) {
    held.push_back(sequence.token(i));
  }
  of(sequence).most = std::max(of(sequence).most, size(held));
}

void Slots::reset(Sequence& sequence) {
  sequence.cached = 0;
  sequence.is_fresh = true;
  if (sequence.slot < 0) return;
  forward_.release(sequence.slot);
  of(sequence).held.clear();
  of(sequence).most = 0;
}

void Slots::sync(Sequence& sequence, bool is_rewound) {
  if (sequence.slot < 0) {
    sequence.cached = 0;
    return;
  }
  if (sequence.tokens.empty()) return;  // recurrent: nothing to compare
  Tokens& held = of(sequence).held;
  // The last token must run: its scores are what comes next.
  std::int64_t keep =
      std::min(common_prefix(held, sequence.tokens), size(sequence.tokens) - 1);
  if (is_rewound && sequence.want.from >= 0)
    keep = std::min(keep, sequence.want.from);
  const std::int64_t drop = size(held) - keep;
  if (drop > 0 && can_drop(of(sequence), drop)) {
    forward_.truncate(sequence.slot, keep);
    held.resize(static_cast<std::size_t>(keep));
    ++counts_.truncates;
  } else if (drop > 0) {
    reset(sequence);
    ++counts_.replays;
    keep = 0;
  }
  sequence.cached = keep;
}

void Slots::fork(const Sequence& parent, Sequence& child) {
  acquire_empty(child);
  const bool has_state = parent.slot >= 0 && child.slot >= 0;
  if (has_state && caps_.can_copy) copy(of(parent), child);
}

/// The sequence's slot is empty.
void Slots::copy(const Slot& from, Sequence& to) {
  forward_.copy(static_cast<int>(&from - slots_.data()), to.slot);
  Slot& slot = of(to);
  slot.held = from.held;
  slot.most = from.most;
  to.is_fresh = false;
  ++counts_.copies;
}

}  // namespace penstock
