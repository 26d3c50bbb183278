// Products that a warpgroup, four warps, asks the tensor cores of compute
// capability 9.0 for (`wgmma`): 64 rows by up to 256 outputs over 16 columns.
// They read shared memory by themselves, while the threads go on.
//
// In what a warp has of the 64 rows, 16, lanes have numbers as in tiles.h: a
// GroupSum is TileSums side by side, and rows may come from registers as TileA.
//
// A matrix in shared memory has 64 columns of bf16 a row, 128 bytes, and its
// rows one after another from a multiple of 1024 bytes on (kMatrixBytes, which
// DeviceGroupBlock's shared memory begins on); of wider ones the
// next 64 columns follow behind the last row. The eights of a row are turned by
// its number (swizzled()), as the instruction wants: so eight rows' eights of
// the same columns are in all banks.
#pragma once

#include "lib/gpu/block.h"
#include "lib/gpu/tiles.h"

namespace penstock::gpu {

inline constexpr int kGroup = 4 * kWarp;  ///< threads of a warpgroup
inline constexpr int kGroupRows = 64;     ///< of a product
inline constexpr int kLineColumns = 64;   ///< of a matrix's 128 bytes
inline constexpr std::uint32_t kLineBytes = 128;
/// A matrix begins on a multiple of these.
inline constexpr std::uint32_t kMatrixBytes = 1024;

template <int kOutputs>
struct GroupSum {
  static_assert(kOutputs % 16 == 0 && kOutputs <= 256);
  TileSum at[kOutputs / 16];
};

/// Where (row, column) of a matrix of `rows` rows is, in numbers from its
/// start. Eight columns from a multiple of eight on are side by side.
PENSTOCK_GPU_HOST constexpr int swizzled(int row, int column, int rows) {
  const int line = column / kLineColumns * rows + row;
  const int eight = column % kLineColumns / 8 ^ row % 8;
  return line * kLineColumns + eight * 8 + column % 8;
}

/// What the instruction takes for a matrix: PTX ISA, "Matrix Descriptor
/// Format".
struct GroupMatrix {
  std::uint64_t bits;
};

/// Bytes of shared memory: `address` of the first column; `leading`, from 64
/// columns to the next where outputs are side by side (else it is not used);
/// `stride`, from eight rows to the next.
PENSTOCK_GPU_HOST constexpr GroupMatrix group_matrix(std::uint32_t address,
                                                     std::uint32_t leading,
                                                     std::uint32_t stride) {
  const auto encoded = [](std::uint32_t bytes) {
    return std::uint64_t{(bytes & 0x3ffffU) >> 4};
  };
  constexpr std::uint64_t kSwizzle128 = 1;
  return {encoded(address) | encoded(leading) << 16 | encoded(stride) << 32 |
          kSwizzle128 << 62};
}

/// Bytes to a line of a matrix.
PENSTOCK_GPU_HOST constexpr std::uint32_t line_bytes(int line) {
  return static_cast<std::uint32_t>(line) * kLineBytes;
}

/// 16 columns, from `column` on, of the matrix of so many rows at `from`, from
/// a row on that is a multiple of eight.
template <class Block, class Pointer>
PENSTOCK_GPU GroupMatrix columns_of(Block& block, Pointer from, int row,
                                    int column, int rows) {
  // The turning goes by the address, so 16 columns more are 32 bytes more.
  return group_matrix(block.shared_address(from) +
                          line_bytes(column / kLineColumns * rows + row) +
                          static_cast<std::uint32_t>(column % kLineColumns) * 2,
                      /*leading=*/16, line_bytes(8));
}

/// The same of a matrix that has outputs in its columns: 16 rows from `row` on,
/// all columns.
template <class Block, class Pointer>
PENSTOCK_GPU GroupMatrix rows_of(Block& block, Pointer from, int row,
                                 int rows) {
  return group_matrix(block.shared_address(from) + line_bytes(row),
                      line_bytes(rows), line_bytes(8));
}

/// What bodies ask of a block that has such products. See DeviceGroupBlock.
template <class B>
concept BlockOfGroups = BlockOfThreads<B> &&
    requires(B& block, GroupSum<64>& sum, TileA& tile, const TileA& rows,
             GroupMatrix matrix) {
  block.fence_async();
  block.hold(sum);
  block.hold(tile);
  block.order_sums();
  block.template multiply<false>(sum, matrix, matrix, true);
  block.template multiply<true>(sum, rows, matrix, true);
  block.commit_products();
  block.template wait_products<0>();
};

}  // namespace penstock::gpu
