#include "penstock/kept_memory.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <c10/util/accumulate.h>

#include <algorithm>
#include <deque>
#include <mutex>
#include <new>
#include <utility>

namespace penstock {
namespace {

/// What is smaller comes from malloc's own lists.
constexpr std::int64_t kLeastBytes = 16 << 10;

}  // namespace

struct KeptMemory::Free {
  std::mutex mutex;
  std::deque<at::Tensor> pieces;  ///< u8[bytes], by when they were freed
  std::int64_t bytes = 0;         ///< of all pieces
  std::int64_t most = 0;

  /// One that fits and wastes no more than half of it, or a new one.
  at::Tensor take(std::int64_t wanted) {
    {
      const std::lock_guard lock(mutex);
      const auto found = std::find_if(
          pieces.begin(), pieces.end(), [&](const at::Tensor& piece) {
            return piece.numel() >= wanted && piece.numel() / 2 <= wanted;
          });
      if (found != pieces.end()) {
        at::Tensor piece = std::move(*found);
        pieces.erase(found);
        bytes -= piece.numel();
        return piece;
      }
    }
    return at::empty({wanted}, at::kByte);
  }

  /// Those that were kept longest make room.
  void give_back(at::Tensor piece) {
    if (piece.numel() > most) return;
    std::deque<at::Tensor> dropped;  // freed without the lock
    const std::lock_guard lock(mutex);
    bytes += piece.numel();
    pieces.push_back(std::move(piece));
    while (bytes > most) {
      bytes -= pieces.front().numel();
      dropped.push_back(std::move(pieces.front()));
      pieces.pop_front();
    }
  }
};

KeptMemory::KeptMemory(std::int64_t most) : free_(std::make_shared<Free>()) {
  free_->most = most;
}

at::Tensor KeptMemory::empty(at::IntArrayRef sizes,
                             at::ScalarType dtype) const {
  const auto bytes = static_cast<std::int64_t>(c10::elementSize(dtype)) *
                     c10::multiply_integers(sizes);
  if (bytes < kLeastBytes) return at::empty(sizes, dtype);
  at::Tensor piece = free_->take(bytes);
  void* const data = piece.mutable_data_ptr();
  return at::from_blob(
      data, sizes,
      [free = free_, piece = std::move(piece)](void* /*data*/) mutable {
        try {
          free->give_back(std::move(piece));
        } catch (const std::bad_alloc&) {
          // No room to note it: it is freed.
        }
      },
      dtype);
}

}  // namespace penstock
