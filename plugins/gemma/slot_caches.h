// SlotCaches: an engine's keys and values by slot; an empty slot takes none.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "penstock/error.h"
#include "penstock/forward.h"

namespace penstock::gemma {

/// `Cache` has length(), truncate(length), copy_from(other) and
/// held_bytes().
template <class Cache>
class SlotCaches {
 public:
  using Make = std::function<std::unique_ptr<Cache>()>;

  /// `make` gives an empty cache.
  SlotCaches(std::size_t slots, Make make)
      : caches_(slots), make_(std::move(make)) {}

  [[nodiscard]] std::size_t size() const { return caches_.size(); }

  /// The cache that a slice continues; throws Error(kInternal) unless it holds
  /// exactly the tokens before the slice.
  [[nodiscard]] Cache& of(const Slice& slice) {
    auto& cache = at(slice.sequence->slot);
    if (!cache) cache = make_();
    if (cache->length() != slice.begin) {
      throw Error(Code::kInternal,
                  str("the slot holds ", cache->length(),
                      " tokens, the step begins at ", slice.begin));
    }
    return *cache;
  }
  void release(int slot) noexcept {
    caches_[static_cast<std::size_t>(slot)].reset();
  }
  void truncate(int slot, std::int64_t length) { at(slot)->truncate(length); }
  void copy(int from, int to) {
    auto& target = at(to);
    target = make_();
    target->copy_from(*at(from));
  }
  [[nodiscard]] std::int64_t held_bytes(int slot) const {
    const auto& cache = caches_.at(static_cast<std::size_t>(slot));
    return cache ? cache->held_bytes() : 0;
  }

 private:
  [[nodiscard]] std::unique_ptr<Cache>& at(int slot) {
    return caches_.at(static_cast<std::size_t>(slot));
  }

  std::vector<std::unique_ptr<Cache>> caches_;  ///< null: empty
  Make make_;
};

}  // namespace penstock::gemma
