// Which pages of the device's memory hold the keys and values of each slot's
// tokens. All of it is the host's: the device sees the tables as numbers.
//
// The layers that see all tokens keep the same ones, and so do the layers that
// see a window; so a page is taken for all layers of a kind at once: 64 tokens
// of each. Slots that began alike share pages; who writes to a shared one gets
// a copy first. Layers with a window give pages back that no later token sees.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "gemma/config.h"
#include "gemma/cuda/kernels.h"

namespace penstock::gemma::cuda {

/// Kinds of layers: those that see all tokens, and those that see a window.
inline constexpr std::size_t kFull = 0;
inline constexpr std::size_t kSliding = 1;
inline constexpr std::size_t kKinds = 2;

/// Counts of pages of each kind.
using PageCounts = std::array<std::int64_t, kKinds>;

/// Pages by number, and how many tables have each.
class PagePool {
 public:
  explicit PagePool(std::int64_t pages);

  /// A page that nobody has. Throws Error(kRetry) where there is none.
  [[nodiscard]] std::int32_t take();
  void share(std::int32_t page);
  void drop(std::int32_t page) noexcept;
  [[nodiscard]] bool is_shared(std::int32_t page) const {
    return users_[static_cast<std::size_t>(page)] > 1;
  }
  [[nodiscard]] std::int64_t free() const { return std::ssize(free_); }
  [[nodiscard]] std::int64_t size() const { return std::ssize(users_); }

 private:
  std::vector<std::int32_t> users_, free_;
};

/// What the device must be told, and do, before it runs what was asked for.
struct PageChanges {
  struct Copy {
    std::size_t kind = kFull;
    std::int32_t from = 0, to = 0;  ///< pages
  };
  /// Places of the table, [first, first + count).
  struct Entries {
    std::int64_t first = 0, count = 0;
  };
  std::vector<Copy> copies;  ///< to be made in this order, all before entries
  std::vector<Entries> entries;

  [[nodiscard]] bool is_empty() const {
    return copies.empty() && entries.empty();
  }
  void clear() {
    copies.clear();
    entries.clear();
  }
};

/// The pages of all slots as the device's table has them:
/// i32 [slots, kinds, pages of a context]. A page's number is multiplied by the
/// layers of its kind, as its place in memory is; -1: none.
class PageTables {
 public:
  /// `slack`: tokens that truncate() can always drop.
  PageTables(const Config& config, int slots, const PageCounts& pages,
             std::int64_t slack);

  /// Layers of each kind.
  [[nodiscard]] static PageCounts layers_of(const Config& config);
  /// Most pages of a sequence as long as the context, given in chunks.
  [[nodiscard]] static PageCounts most_pages(const Config& config,
                                             std::int64_t slack,
                                             std::int64_t chunk);

  [[nodiscard]] int slots() const { return static_cast<int>(slots_.size()); }
  [[nodiscard]] std::int64_t length(int slot) const { return at(slot).length; }
  /// Pages of a context.
  [[nodiscard]] std::int64_t width() const { return width_; }
  [[nodiscard]] const PagePool& pool(std::size_t kind) const {
    return pools_[kind];
  }
  /// Pages that a slot's tokens have, shared ones too.
  [[nodiscard]] PageCounts held(int slot) const;

  /// Makes room for tokens [length, length + count) of a slot and counts them
  /// as there; drops what no later token sees. Adds to `changes`. When it
  /// throws, the slot must be released.
  void extend(int slot, std::int64_t count, PageChanges& changes);
  /// Makes room for the slot's next token as extend() would, but counts no
  /// token: what is written there is as good as nothing. False, and nothing
  /// done, where no page is free for it or others have the page too.
  [[nodiscard]] bool reserve(int slot, PageChanges& changes);
  /// Gives back what was reserved and is of no use.
  void unreserve(int slot) noexcept;
  /// Throws Error(kInternal) where it no longer has what would be needed.
  void truncate(int slot, std::int64_t length);
  /// `to` shares the pages of `from`; what it had is dropped.
  void copy(int from, int to, PageChanges& changes);
  void release(int slot) noexcept;

  [[nodiscard]] std::span<const std::int32_t> table() const { return table_; }

 private:
  struct Slot {
    std::int64_t length = 0;
    std::int64_t pages = 0;          ///< of the sequence
    std::int64_t first_sliding = 0;  ///< that layers with a window still have
  };

  [[nodiscard]] const Slot& at(int slot) const {
    return slots_.at(static_cast<std::size_t>(slot));
  }
  [[nodiscard]] Slot& at(int slot) {
    return slots_.at(static_cast<std::size_t>(slot));
  }
  [[nodiscard]] std::int64_t place(int slot, std::size_t kind,
                                   std::int64_t page) const {
    return (slot * static_cast<std::int64_t>(kKinds) +
            static_cast<std::int64_t>(kind)) *
               width_ +
           page;
  }
  [[nodiscard]] std::int32_t number(std::int64_t place, std::size_t kind) const;
  void put(std::int64_t place, std::size_t kind, std::int32_t page);
  void drop(std::int64_t place, std::size_t kind) noexcept;
  void own(std::int64_t place, std::size_t kind, PageChanges& changes);
  void add(int slot);
  void drop_last(int slot) noexcept;

  std::int64_t window_, slack_, width_;
  PageCounts layers_;
  std::array<PagePool, kKinds> pools_;
  std::vector<Slot> slots_;
  std::vector<std::int32_t> table_;
};

}  // namespace penstock::gemma::cuda
