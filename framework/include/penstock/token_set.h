// TokenSet: which tokens of a vocabulary may come. A short list of ids where
// they are few, a bit for each where they are many; both at once never.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "penstock/notes.h"

namespace penstock {

/// Immutable; shared by whoever needs it.
class PENSTOCK_API TokenSet {
 public:
  /// More than these are kept as bits.
  static constexpr std::int64_t kMostListed = 4096;

  TokenSet() = default;
  /// In any order. Throws Error(kInternal) for a negative id and one that no
  /// vocabulary has.
  explicit TokenSet(Tokens ids);
  /// Id i is bit i % 64 of word i / 64.
  explicit TokenSet(std::span<const std::uint64_t> bits);

  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] bool is_empty() const { return size_ == 0; }
  [[nodiscard]] bool contains(std::int64_t id) const {
    if (bits_.empty()) return std::binary_search(ids_.begin(), ids_.end(), id);
    const auto word = static_cast<std::size_t>(id >> 6U);
    return id >= 0 && word < bits_.size() &&
           ((bits_[word] >> static_cast<unsigned>(id & 63)) & 1U) != 0;
  }
  /// Whether ids() has them; else bits() does.
  [[nodiscard]] bool is_listed() const { return bits_.empty(); }
  /// Ascending; empty unless is_listed().
  [[nodiscard]] const Tokens& ids() const { return ids_; }
  [[nodiscard]] std::span<const std::uint64_t> bits() const { return bits_; }
  /// The greatest; -1: it is empty.
  [[nodiscard]] std::int64_t last() const { return last_; }

  friend bool operator==(const TokenSet&, const TokenSet&) = default;

 private:
  Tokens ids_;
  std::vector<std::uint64_t> bits_;
  std::int64_t size_ = 0, last_ = -1;
};

/// What both have.
[[nodiscard]] PENSTOCK_API TokenSet common(const TokenSet& a,
                                           const TokenSet& b);

}  // namespace penstock
