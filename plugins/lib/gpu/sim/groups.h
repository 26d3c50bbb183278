// What a warpgroup of a simulated block has asked for and not waited for.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include "lib/gpu/groups.h"
#include "lib/gpu/sim/memory.h"

namespace penstock::gpu {

/// What a thread asks its warpgroup to do, all of whose threads ask the same.
struct GroupCall {
  enum class Kind : std::uint8_t { kOrder, kMultiply, kCommit, kWait };
  Kind kind = Kind::kOrder;
  int left = 0;  ///< groups, of kWait

  // Of kMultiply.
  int outputs = 0;
  bool is_transposed = false, adds = false;
  std::uint64_t rows = 0, matrix = 0;  ///< descriptors
  float* sums = nullptr;               ///< [outputs / 2], the thread's
  const TileA* tile = nullptr;         ///< rows that are in registers

  [[nodiscard]] bool asks_as(const GroupCall& other) const {
    return kind == other.kind && left == other.left &&
           outputs == other.outputs && is_transposed == other.is_transposed &&
           adds == other.adds && rows == other.rows && matrix == other.matrix &&
           (tile == nullptr) == (other.tile == nullptr);
  }
};

/// What a thread's sums, and rows in registers, were when it held them: from
/// there, over order_sums(), to their first product nobody may change them.
class HeldNumbers {
 public:
  void hold(const void* at, std::size_t bytes) {
    const auto* from = static_cast<const std::byte*>(at);
    fresh_[at].assign(from, from + bytes);
  }
  /// At order_sums(): those held since the last one, beside those before.
  void order() {
    for (auto& [at, bytes] : fresh_) ordered_[at] = std::move(bytes);
    fresh_.clear();
  }
  /// At wait_products(): no product may be asked for before the next order.
  void forget() { ordered_.clear(); }
  /// Whether they were held, and ordered.
  [[nodiscard]] bool has(const void* at) const { return ordered_.contains(at); }
  /// Whether they are as they were; those that were not held are.
  [[nodiscard]] bool is_as_held(const void* at) const {
    const auto found = ordered_.find(at);
    return found == ordered_.end() ||
           std::memcmp(at, found->second.data(), found->second.size()) == 0;
  }

 private:
  std::map<const void*, std::vector<std::byte>> fresh_, ordered_;
};

/// A product that is under way.
struct GroupProduct {
  GroupCall call;  ///< of the first thread
  int group = 0;   ///< of those committed
  std::array<float*, kGroup> sums{};
  std::array<const TileA*, kGroup> tiles{};
  std::array<TileA, kGroup> rows{};  ///< what stood there
};

struct SimGroup {
  bool is_ordered = false;
  int committed = 0;
  std::vector<GroupProduct> products;  ///< in their order
  /// What will stand there; meanwhile kUnderWay does.
  std::map<float*, std::vector<float>> sums;
};

/// Bytes from the start of shared memory, as a descriptor's swizzle of 128
/// bytes has them, of number `n` of row (or output) `r`.
struct GroupPlace {
  std::uint32_t start, leading, stride;
  bool is_transposed;

  [[nodiscard]] std::uint32_t at(int r, int n) const;
};

}  // namespace penstock::gpu
