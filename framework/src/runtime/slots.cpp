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
  row.cached = 0;
  row.is_fresh = true;
  if (slots_.empty()) return;  // stateless
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].is_used) continue;
    slots_[i] = {.held = {}, .is_used = true};
    row.slot = static_cast<int>(i);
    return;
  }
  throw Error(Code::kInternal, "no slot is free for an admitted row");
}

void Slots::give_back(Row& row) {
  if (row.slot < 0) return;
  forward_.release(row.slot);
  of(row) = {};
  row.slot = -1;
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
  take(child);
  const bool has_state = parent.slot >= 0 && child.slot >= 0;
  if (!has_state || !caps_.can_copy) return;
  forward_.copy(parent.slot, child.slot);
  of(child).held = of(parent).held;
  child.is_fresh = false;
  ++copies_;
}

}  // namespace penstock
