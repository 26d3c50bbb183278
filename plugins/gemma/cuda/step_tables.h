// What a step tells the device besides pages: tables of its rows, packed into
// one copy.
#pragma once

#include <cstdint>
#include <span>

#include "gemma/cuda/kernels.h"
#include "lib/gpu/device_api.h"

namespace penstock::gemma::cuda {

/// A table in pinned memory and in the device's.
template <class T>
struct TableOf {
  std::span<T> host;
  T* device = nullptr;
};
using Table = TableOf<std::int32_t>;

/// How long the tables are.
struct TableCounts {
  std::int64_t rows = 0;    ///< tokens
  std::int64_t scores = 0;  ///< of which are scored
  std::int64_t ids = 0;     ///< single tokens of each that is scored
  std::int64_t tiles = 0;   ///< of attention_tile
  bool is_drawn = false;    ///< the device makes the tokens
};

class StepTables {
 public:
  StepTables(const gpu::Pinned& host, const gpu::Memory& device,
             const TableCounts& counts);

  /// Of the most that a step of `rows` can have, `drawn` of which are drawn.
  [[nodiscard]] static std::int64_t bytes(std::int64_t rows,
                                          std::int64_t drawn);

  /// All rows empty, as the host has them; tiles and edits are not
  /// touched.
  void clear() const;
  /// Queues the copy.
  void send(gpu::DeviceApi& api) const;

  TableOf<DrawRow> draws;   ///< [rows], where tokens are drawn
  TableOf<DrawEdit> edits;  ///< [rows, ids], likewise
  Table tokens;             ///< [rows]
  Table positions;          ///< [rows], -1: empty
  Table slots;              ///< [rows], row of the page table
  Table scored;             ///< [scored], row of the token
  Table mask_rows;          ///< [scored], of the masks; -1: all may come
  Table wanted_ids;         ///< [scored, ids]
  Table tiles;              ///< [tiles, 2]: first row, rows

 private:
  template <class T>
  [[nodiscard]] TableOf<T> take(std::int64_t count);

  std::byte* host_;
  std::byte* device_;
  std::size_t used_ = 0;
};

}  // namespace penstock::gemma::cuda
