// Slots: which sequence owns which piece of Forward's state, and THE RULE of
// sequence.h that keeps the state a prefix of the sequence's tokens.
//
// A slot whose sequence has ended is empty, or parked: a chat's next turn
// begins with what it holds and, where prefixes are shared, any sequence that
// begins alike. Nobody waits for a parked slot; the oldest gives way, to who
// needs one and where they take more bytes than they may.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "penstock/forward.h"

namespace penstock {

/// DeviceThread thread only.
class Slots {
 public:
  struct Keeping {
    bool shares_prefixes = false;  ///< Batch::shares_prefixes()
    std::int64_t bytes = kAll;     ///< Batch::kept_bytes()
  };
  Slots(Forward& forward, const Caps& caps, const Keeping& keeping);

  /// Gives the sequence a slot: the parked one that holds most of it, else a
  /// copy of a running one that does, else an empty one. The caller has counted
  /// the free ones.
  void acquire(Sequence& sequence);
  /// Tokens that acquire() would find computed for it.
  [[nodiscard]] std::int64_t found(const Sequence& sequence) {
    return find_best(sequence).prefix;
  }
  /// Parks the slot where another sequence may want it, else empties it.
  void release(Sequence& sequence);
  /// What the sequence's slot holds is unknown: it will not be parked.
  void invalidate(const Sequence& sequence);
  /// The sequence's first `count` tokens from `begin` are now in its slot.
  void extend(const Sequence& sequence, std::int64_t begin, std::int64_t count);
  /// Cuts the state to the longest prefix it shares with the sequence. Rewound:
  /// positions whose scores are wanted must run again as well.
  void sync(Sequence& sequence, bool is_rewound);
  /// Empties the sequence's slot: inputs will be shown again.
  void reset(Sequence& sequence);
  /// Makes the child's slot a copy of the parent's, where Forward can.
  void fork(const Sequence& parent, Sequence& child);

  struct Counts {
    std::int64_t truncates = 0, replays = 0, copies = 0;
    std::int64_t reused = 0;  ///< tokens of other sequences' slots
  };
  /// Since the last call.
  [[nodiscard]] Counts take_counts() { return std::exchange(counts_, {}); }

 private:
  struct Slot {
    Tokens held;
    std::int64_t most = 0;  ///< tokens that it ever held, since it was empty
    bool is_used = false;
    bool has_inputs = false;     ///< equal tokens may stand for other pictures
    std::string session;         ///< of a parked one: its chat
    std::int64_t parked_at = 0;  ///< a count, not a time; 0: not parked
    std::int64_t bytes = 0;      ///< of a parked one
  };
  void acquire_empty(Sequence& sequence);
  void empty(Slot& slot);
  void empty_oldest();
  void copy(const Slot& from, Sequence& to);
  /// Tokens of the slot that the sequence can go on from; 0: none.
  [[nodiscard]] std::int64_t usable(const Slot& slot,
                                    const Sequence& sequence) const;
  [[nodiscard]] bool can_drop(const Slot& slot, std::int64_t count) const;
  struct Found {
    Slot* slot = nullptr;
    std::int64_t prefix = 0;  ///< tokens of it that the sequence can use
  };
  [[nodiscard]] Found find_best(const Sequence& sequence);
  [[nodiscard]] Slot& of(const Sequence& sequence) {
    return slots_.at(static_cast<std::size_t>(sequence.slot));
  }

  Forward& forward_;
  Caps caps_;
  Keeping keeping_;
  std::vector<Slot> slots_;
  Counts counts_;
  std::int64_t parked_ = 0;
};

}  // namespace penstock
