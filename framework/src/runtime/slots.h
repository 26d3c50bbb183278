// Slots: which row owns which piece of Forward's state, and THE RULE of
// sample.h that keeps the state a prefix of the row's tokens.
//
// A slot whose row has ended is empty, or parked: a chat's next turn begins
// with what it holds and, where prefixes are shared, any row that begins alike.
// Nobody waits for a parked slot; the oldest gives way.
#pragma once

#include <string>
#include <vector>

#include "penstock/forward.h"

namespace penstock {

/// Engine thread only.
class Slots {
 public:
  Slots(Forward& forward, const Caps& caps, bool shares_prefixes);

  /// Gives the row a slot: the parked one that holds most of it, else a copy of
  /// a running one that does, else an empty one. The caller has counted the
  /// free ones.
  void take(Row& row);
  /// Parks the slot where another row may want it, else empties it.
  void give_back(Row& row);
  /// What the row's slot holds is unknown: it will not be parked.
  void spoil(const Row& row);
  /// The row's first `count` tokens from `begin` are now in its slot.
  void extend(const Row& row, std::int64_t begin, std::int64_t count);
  /// Cuts the state to the longest prefix it shares with the row. Rewound:
  /// positions whose scores are wanted must run again as well.
  void sync(Row& row, bool is_rewound);
  /// Empties the row's slot: inputs will be shown again.
  void reset(Row& row);
  /// Makes the child's slot a copy of the parent's, where Forward can.
  void fork(const Row& parent, Row& child);

  [[nodiscard]] std::int64_t truncates() const { return truncates_; }
  [[nodiscard]] std::int64_t replays() const { return replays_; }
  [[nodiscard]] std::int64_t copies() const { return copies_; }
  /// Tokens of other rows' slots that did not have to run again.
  [[nodiscard]] std::int64_t reused() const { return reused_; }

 private:
  struct Slot {
    Tokens held;
    std::int64_t most = 0;  ///< tokens that it ever held, since it was empty
    bool is_used = false;
    bool has_inputs = false;     ///< equal tokens may stand for other pictures
    std::string affinity;        ///< of a parked one: its chat
    std::int64_t parked_at = 0;  ///< a count, not a time; 0: not parked
  };
  void take_empty(Row& row);
  void copy(const Slot& from, Row& to);
  /// Tokens of the slot that the row can go on from; 0: none.
  [[nodiscard]] std::int64_t usable(const Slot& slot, const Row& row) const;
  [[nodiscard]] bool can_drop(const Slot& slot, std::int64_t count) const;
  struct Found {
    Slot* slot = nullptr;
    std::int64_t prefix = 0;  ///< tokens of it that the row can use
  };
  [[nodiscard]] Found find_best(const Row& row);
  [[nodiscard]] Slot& of(const Row& row) {
    return slots_.at(static_cast<std::size_t>(row.slot));
  }

  Forward& forward_;
  Caps caps_;
  bool shares_prefixes_;
  std::vector<Slot> slots_;
  std::int64_t truncates_ = 0, replays_ = 0, copies_ = 0, reused_ = 0;
  std::int64_t parked_ = 0;
};

}  // namespace penstock
