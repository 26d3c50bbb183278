// Products of many rows, by tensor cores: `product` and `gated_product`. While
// a block multiplies one stage of its tiles, the next ones are copied.
#pragma once

#include "gemma/cuda/bodies/arithmetic.h"
#include "gemma/cuda/bodies/rows.h"
#include "gemma/cuda/bodies/weights.h"
#include "gemma/cuda/kernels.h"
#include "gemma/cuda/shapes.h"
#include "lib/gpu/tiles.h"

namespace penstock::gemma::cuda {

/// Rows of a matrix [count, columns] from row `first` on; rows beyond the last
/// as the last. With `second`, eight from there and eight from here in turns,
/// so that a lane has the sums of a gate and of its up.
struct TileRows {
  int first, count, columns;
  int second = -1;

  [[nodiscard]] PENSTOCK_GPU std::int64_t row(int r) const {
    if (second < 0) return least(first + r, count - 1);
    const int at = r / 16 * 8 + r % 8;
    return least((r % 16 < 8 ? first : second) + at, count - 1);
  }
};

/// Brings stages of kRows rows of numbers into shared memory: start() begins to
/// copy columns [from, from + Shape::kColumns), and nothing is left to do.
template <class Shape, int kRows, class W, BlockOfThreads Block>
struct TileSource {
  typename Block::template Global<const Bf16> matrix;
  TileRows rows;

  PENSTOCK_GPU TileSource(Block& block, const Matrix& m, const TileRows& of)
      : matrix(block.global(static_cast<const Bf16*>(m.numbers), "tiled")),
        rows(of) {}

  template <class Shared>
  PENSTOCK_GPU void start(Block& block, int from, Shared to) {
    constexpr int kChunks = Shape::kColumns / 8;  // of 16 bytes, in a row
    PENSTOCK_UNROLL
    for (int n = 0; n < kRows * kChunks / Shape::kThreads; ++n) {
      const int i = n * Shape::kThreads + block.thread();
      const int r = i / kChunks;
      const int k = i % kChunks * 8;
      const auto place = to + (r * Shape::kStride + k);
      if (from + k < rows.columns) {
        block.copy_async(place,
                         matrix + (rows.row(r) * rows.columns + from + k));
      } else {
        block.store(place, Wide<Bf16>{});
      }
    }
  }
  template <class Shared>
  PENSTOCK_GPU void finish(Block& /*block*/, int /*from*/,
                           Shared /*to*/) const {}
};

/// The same of codes: start() reads them into registers, and finish(), which
/// stands behind the products of a stage, turns them into bf16.
template <class Shape, int kRows, class W, BlockOfThreads Block>
requires is_coded<W>
struct TileSource<Shape, kRows, W, Block> {
  using Row = WeightRow<W, Block>;
  static constexpr int kUnits = Shape::kColumns / Row::kColumns;  // of a row
  static constexpr int kAll = kRows * kUnits;
  static constexpr int kEach = (kAll + Shape::kThreads - 1) / Shape::kThreads;
  static_assert(kUnits > 0);

  const Matrix& matrix;
  TileRows rows;
  typename Row::Read held[kEach];

  PENSTOCK_GPU TileSource(Block& /*block*/, const Matrix& m, const TileRows& of)
      : matrix(m), rows(of) {}

  PENSTOCK_GPU void start(Block& block, int from, auto /*to*/) {
    PENSTOCK_UNROLL
    for (int n = 0; n < kEach; ++n) {
      const int i = n * Shape::kThreads + block.thread();
      const int k = from + i % kUnits * Row::kColumns;
      held[n] = {};  // of which zeros become
      if (i >= kAll || k >= rows.columns) continue;
      const Row row(block, matrix, rows.row(i / kUnits), rows.columns);
      held[n] = row.read(block, k);
    }
  }
  template <class Shared>
  PENSTOCK_GPU void finish(Block& block, int from, Shared to) const {
    PENSTOCK_UNROLL
    for (int n = 0; n < kEach; ++n) {
      const int i = n * Shape::kThreads + block.thread();
      if (i >= kAll) continue;
      const int k = i % kUnits * Row::kColumns;
      PENSTOCK_UNROLL
      for (int place = 0; place < Row::kColumns / 8; ++place) {
        float numbers[8];
        held[n].unpack(place, numbers);
        // Which columns stand where depends on the unit's place in the row.
        const int column = Row::column(place, from + k) - from;
        store_numbers<Bf16>(block, to + (i / kUnits * Shape::kStride + column),
                            numbers);
      }
    }
  }
};

/// The sums of a warp's outputs.
template <class Shape>
using WarpSums = gpu::TileSum[Shape::kRowTiles][Shape::kOutputTiles];

/// First row and output of a warp.
template <class Shape, BlockOfThreads Block>
PENSTOCK_GPU int warp_row(Block& block) {
  return block.warp() / Shape::kWarpsAcross * Shape::kRowTiles * 16;
}
template <class Shape, BlockOfThreads Block>
PENSTOCK_GPU int warp_output(Block& block) {
  return block.warp() % Shape::kWarpsAcross * Shape::kOutputTiles * 16;
}

/// Adds the products over the columns of one stage.
template <class Shape, BlockOfThreads Block, class Shared>
PENSTOCK_GPU void multiply_stage(Block& block, Shared rows, Shared outputs,
                                 WarpSums<Shape>& sums) {
  const auto a = rows + warp_row<Shape>(block) * Shape::kStride;
  const auto b = outputs + warp_output<Shape>(block) * Shape::kStride;
  PENSTOCK_UNROLL
  for (int k = 0; k < Shape::kColumns; k += 16) {
    gpu::TileB tile_b[Shape::kOutputTiles];
    PENSTOCK_UNROLL
    for (int j = 0; j < Shape::kOutputTiles; ++j) {
      gpu::load_tile(block, tile_b[j], b + (j * 16 * Shape::kStride + k),
                     Shape::kStride);
    }
    PENSTOCK_UNROLL
    for (int i = 0; i < Shape::kRowTiles; ++i) {
      gpu::TileA tile_a;
      gpu::load_tile(block, tile_a, a + (i * 16 * Shape::kStride + k),
                     Shape::kStride);
      PENSTOCK_UNROLL
      for (int j = 0; j < Shape::kOutputTiles; ++j) {
        block.mma(sums[i][j], tile_a, tile_b[j]);
      }
    }
  }
}

/// What a block multiplies, stage by stage in shared memory.
template <class Shape, class W, BlockOfThreads Block>
struct TileStages {
  typename Block::template Shared<Bf16> memory;
  TileSource<Shape, Shape::kRows, Bf16, Block> in;
  TileSource<Shape, Shape::kOutputs, W, Block> weight;
  int steps;

  PENSTOCK_GPU TileStages(Block& block, const void* numbers,
                          const TileRows& in_rows, const Matrix& matrix,
                          const TileRows& outputs)
      : memory(block.template shared<Bf16>(Shape::kStages * Shape::kStage,
                                           "tiles")),
        in(block, numbers, in_rows),
        weight(block, matrix, outputs),
        steps((in_rows.columns + Shape::kColumns - 1) / Shape::kColumns) {}

  [[nodiscard]] PENSTOCK_GPU auto rows(int step) const {
    return memory + step % Shape::kStages * Shape::kStage;
  }
  [[nodiscard]] PENSTOCK_GPU auto outputs(int step) const {
    return rows(step) + Shape::kRows * Shape::kStride;
  }
  /// A group of copies for each step, though empty, so that as many are ahead
  /// always.
  PENSTOCK_GPU void start(Block& block, int step) {
    if (step < steps) {
      in.start(block, step * Shape::kColumns, rows(step));
      weight.start(block, step * Shape::kColumns, outputs(step));
    }
    block.commit_copies();
  }
  PENSTOCK_GPU void finish(Block& block, int step) const {
    if (step >= steps) return;
    weight.finish(block, step * Shape::kColumns, outputs(step));
  }
};

/// The sums of all columns.
template <class Shape, class W, BlockOfThreads Block>
PENSTOCK_GPU void multiply_tiles(Block& block,
                                 TileStages<Shape, W, Block> stages,
                                 WarpSums<Shape>& sums) {
  constexpr int kAhead = Shape::kStages - 1;
  PENSTOCK_UNROLL
  for (auto& row : sums) {
    PENSTOCK_UNROLL
    for (auto& sum : row) gpu::clear(sum);
  }
  for (int step = 0; step < kAhead; ++step) {
    stages.start(block, step);
    stages.finish(block, step);
  }
  for (int step = 0; step < stages.steps; ++step) {
    block.template wait_copies<kAhead - 1>();
    block.sync();  // this stage is there, and the one before was multiplied
    stages.start(block, step + kAhead);
    multiply_stage<Shape>(block, stages.rows(step), stages.outputs(step), sums);
    stages.finish(block, step + kAhead);
  }
  block.template wait_copies<0>();
}

/// Calls what(row, output, sums, i) for each two neighbours of a lane's sums,
/// numbers i and i + 1 of a TileSum: their row in the block and first output.
template <class Shape, BlockOfThreads Block, class What>
PENSTOCK_GPU void for_pairs(Block& block, const WarpSums<Shape>& sums,
                            int pairs, What what) {
  PENSTOCK_UNROLL
  for (int i = 0; i < Shape::kRowTiles; ++i) {
    PENSTOCK_UNROLL
    for (int j = 0; j < Shape::kOutputTiles; ++j) {
      PENSTOCK_UNROLL
      for (int n = 0; n < 2 * pairs; n += 2) {
        what(warp_row<Shape>(block) + i * 16 + gpu::sum_row(block.lane(), n),
             warp_output<Shape>(block) + j * 16 +
                 gpu::sum_output(block.lane(), n),
             sums[i][j], n);
      }
    }
  }
}

/// Stores numbers i and i + 1 of a lane's sums, which are of the row's outputs
/// `output` and the next.
template <BlockOfThreads Block>
PENSTOCK_GPU void store_pair(Block& block, const ProductParams& p, int row,
                             int output, const gpu::TileSum& sum, int i) {
  if (row >= p.rows || output >= p.outputs) return;
  const std::int64_t at = std::int64_t{row} * p.outputs + output;
  if (p.outputs % 2 == 0) {
    const auto pairs =
        block.global(reinterpret_cast<std::uint64_t*>(p.out), "out");
    pairs[at / 2] = std::uint64_t{std::bit_cast<std::uint32_t>(sum.at[i])} |
                    std::uint64_t{std::bit_cast<std::uint32_t>(sum.at[i + 1])}
                        << 32;
    return;
  }
  // Rows of an odd length do not begin on 8 bytes.
  const auto out = block.global(p.out, "out");
  out[at] = sum.at[i];
  if (output + 1 < p.outputs) out[at + 1] = sum.at[i + 1];
}

/// The same of gates, whose ups are four numbers behind; `place` is that of the
/// gate among the outputs of the block, whose gates begin with `first`.
template <BlockOfThreads Block>
PENSTOCK_GPU void store_gated(Block& block, const GatedProductParams& p,
                              int row, int first, int place,
                              const gpu::TileSum& sum, int i) {
  const int output = first + place / 16 * 8 + place % 8;
  if (row >= p.rows || output >= p.ffn) return;
  const auto out = block.global(static_cast<std::uint32_t*>(p.out), "out");
  out[(std::int64_t{row} * p.ffn + output) / 2] =
      gpu::pack_two(gelu_tanh(sum.at[i]) * sum.at[i + 4],
                    gelu_tanh(sum.at[i + 1]) * sum.at[i + 5]);
}

template <class Shape, class W, BlockOfThreads Block>
PENSTOCK_GPU void product_tile(Block& block, const ProductParams& p) {
  const int first_row = block.y() * Shape::kRows;
  const int first = block.x() * Shape::kOutputs;
  WarpSums<Shape> sums;
  multiply_tiles(
      block,
      TileStages<Shape, W, Block>(block, p.in, {first_row, p.rows, p.columns},
                                  p.weight, {first, p.outputs, p.columns}),
      sums);
  for_pairs<Shape>(block, sums, 4,
                   [&](int r, int o, const gpu::TileSum& sum, int i) {
                     store_pair(block, p, first_row + r, first + o, sum, i);
                   });
}

/// In turns eight outputs of a block are gates and eight their ups.
template <class Shape, class W, BlockOfThreads Block>
PENSTOCK_GPU void gated_tile(Block& block, const GatedProductParams& p) {
  const int first_row = block.y() * Shape::kRows;
  const int first = block.x() * Shape::kOutputs / 2;
  WarpSums<Shape> sums;
  multiply_tiles(block,
                 TileStages<Shape, W, Block>(
                     block, p.in, {first_row, p.rows, p.columns}, p.weight,
                     {first, 2 * p.ffn, p.columns, p.ffn + first}),
                 sums);
  for_pairs<Shape>(block, sums, 2,
                   [&](int r, int o, const gpu::TileSum& sum, int i) {
                     store_gated(block, p, first_row + r, first, o, sum, i);
                   });
}

/// Runs what<Shape>() with the tiles that the params name.
template <class What>
PENSTOCK_GPU void with_tiles(TileSize size, What what) {
  if (size == TileSize::kSmall) {
    what.template operator()<SmallTiles>();
  } else if (size == TileSize::kLarge) {
    what.template operator()<LargeTiles>();
  } else {
    what.template operator()<HugeTiles>();
  }
}

template <class W, BlockOfThreads Block>
PENSTOCK_GPU void product(Block& block, const ProductParams& p) {
  block.wait_previous();
  with_tiles(p.tiles, [&]<class Shape>() { product_tile<Shape, W>(block, p); });
}

template <class W, BlockOfThreads Block>
PENSTOCK_GPU void gated_product(Block& block, const GatedProductParams& p) {
  block.wait_previous();
  with_tiles(p.tiles, [&]<class Shape>() { gated_tile<Shape, W>(block, p); });
}

}  // namespace penstock::gemma::cuda
