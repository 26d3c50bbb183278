// Sequences for a Batch to plan with, without a runtime.
#pragma once

#include <deque>
#include <vector>

#include "penstock/batch.h"

namespace penstock::core {

/// Rows with prompts of the given lengths.
struct Rows {
  explicit Rows(const std::vector<std::int64_t>& lengths, Time since = {}) {
    for (const std::int64_t length : lengths) {
      auto& item = items.emplace_back();
      Sequence& sequence = sequences.emplace_back();
      sequence.item = &item;
      sequence.since = since;
      for (std::int64_t i = 0; i < length; ++i)
        sequence.tokens.push_back(10 + i);
      item.tokens = sequence.tokens;
      pointers.push_back(&sequence);
    }
  }
  std::deque<Item> items;
  std::deque<Sequence> sequences;
  std::vector<Sequence*> pointers;
};

inline Offer candidates(Rows& waiting, Rows& running, int free = 8,
                        bool more = false, Time now = {}) {
  return {.waiting = waiting.pointers,
          .running = running.pointers,
          .free_slots = free,
          .more_coming = more,
          .now = now,
          .caps = {},
          .found = {}};
}

}  // namespace penstock::core
