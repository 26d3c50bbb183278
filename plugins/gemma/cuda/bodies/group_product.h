// Products of many rows by warpgroups, of bf16: `product` and `gated_product`
// of GroupKernels. A block's warpgroups have 64 rows each of the same outputs.
// One stage is multiplied while the threads see to the next ones.
#pragma once

#include "gemma/cuda/bodies/product.h"
#include "lib/gpu/groups.h"

namespace penstock::gemma::cuda {

/// Brings stages of kRows rows, 64 columns of each, to where products want
/// them.
template <int kRows, int kThreads, BlockOfThreads Block>
struct GroupSource {
  typename Block::template Global<const Bf16> matrix;
  TileRows rows;

  PENSTOCK_GPU GroupSource(Block& block, const void* numbers,
                           const TileRows& of)
      : matrix(block.global(static_cast<const Bf16*>(numbers), "tiled")),
        rows(of) {}

  /// Starts to copy columns [from, from + 64); zeros beyond the last.
  template <class Shared>
  PENSTOCK_GPU void start(Block& block, int from, Shared to) const {
    constexpr int kChunks = gpu::kLineColumns / 8;  // of 16 bytes, in a row
    constexpr int kRowsAPass = kThreads / kChunks;  // rows of all threads
    static_assert(kRows % kRowsAPass == 0 && kRowsAPass % 8 == 0);
    const int first = block.thread() / kChunks;
    const int k = block.thread() % kChunks * 8;
    // Rows a multiple of eight apart are turned alike.
    const auto place = to + gpu::swizzled(first, k, kRows);
    PENSTOCK_UNROLL
    for (int n = 0; n < kRows / kRowsAPass; ++n) {
      const auto line = place + n * kRowsAPass * gpu::kLineColumns;
      if (from + k < rows.columns) {
        block.copy_async(
            line, matrix + (rows.row(n * kRowsAPass + first) * rows.columns +
                            from + k));
      } else {
        block.store(line, Wide<Bf16>{});
      }
    }
  }
};

/// What a block multiplies, stage by stage in shared memory.
template <class Shape, BlockOfThreads Block>
struct GroupStages {
  typename Block::template Shared<Bf16> memory;
  GroupSource<Shape::kRows, Shape::kThreads, Block> in;
  GroupSource<Shape::kOutputs, Shape::kThreads, Block> weight;
  int steps;

  PENSTOCK_GPU GroupStages(Block& block, const void* numbers,
                           const TileRows& in_rows, const Matrix& matrix,
                           const TileRows& outputs)
      : memory(block.template shared<Bf16>(Shape::kStages * Shape::kStage,
                                           "tiles")),
        in(block, numbers, in_rows),
        weight(block, matrix.numbers, outputs),
        steps((in_rows.columns + Shape::kColumns - 1) / Shape::kColumns) {}

  [[nodiscard]] PENSTOCK_GPU auto rows(int step) const {
    return memory + step % Shape::kStages * Shape::kStage;
  }
  [[nodiscard]] PENSTOCK_GPU auto outputs(int step) const {
    return rows(step) + Shape::kRows * Shape::kColumns;
  }
  /// A group of copies for each step, though empty, so that as many are ahead
  /// always.
  PENSTOCK_GPU void start(Block& block, int step) const {
    if (step < steps) {
      in.start(block, step * Shape::kColumns, rows(step));
      weight.start(block, step * Shape::kColumns, outputs(step));
    }
    block.commit_copies();
  }
};

/// Asks for the products of one stage.
template <class Shape, gpu::BlockOfGroups Block, class Shared>
PENSTOCK_GPU void ask_stage(Block& block, Shared rows, Shared outputs,
                            bool is_first,
                            gpu::GroupSum<Shape::kOutputs>& sum) {
  const int own = block.thread() / gpu::kGroup * gpu::kGroupRows;
  block.order_sums();
  PENSTOCK_UNROLL
  for (int k = 0; k < Shape::kColumns; k += 16) {
    block.template multiply<false>(
        sum, gpu::columns_of(block, rows, own, k, Shape::kRows),
        gpu::columns_of(block, outputs, 0, k, Shape::kOutputs),
        !is_first || k > 0);
  }
  block.commit_products();
}

/// The sums of all columns.
template <class Shape, gpu::BlockOfGroups Block>
PENSTOCK_GPU void multiply_groups(Block& block,
                                  const GroupStages<Shape, Block>& stages,
                                  gpu::GroupSum<Shape::kOutputs>& sum) {
  constexpr int kAhead = Shape::kStages - 2;
  for (int step = 0; step < kAhead; ++step) stages.start(block, step);
  for (int step = 0; step < stages.steps; ++step) {
    block.template wait_copies<kAhead - 1>();
    block.fence_async();
    block.sync();  // this stage is there, and the one before the last is free
    ask_stage<Shape>(block, stages.rows(step), stages.outputs(step), step == 0,
                     sum);
    stages.start(block, step + kAhead);
    block.template wait_products<1>();  // the stage before was multiplied
  }
  block.template wait_products<0>();
  block.hold(sum);
  block.template wait_copies<0>();
}

/// Calls what(row, output, sums, i) for each two neighbours of a lane's sums,
/// as for_pairs().
template <class Shape, BlockOfThreads Block, class What>
PENSTOCK_GPU void for_group_pairs(Block& block,
                                  const gpu::GroupSum<Shape::kOutputs>& sum,
                                  int pairs, What what) {
  PENSTOCK_UNROLL
  for (int j = 0; j < Shape::kOutputs / 16; ++j) {
    PENSTOCK_UNROLL
    for (int n = 0; n < 2 * pairs; n += 2) {
      what(block.warp() * 16 + gpu::sum_row(block.lane(), n),
           j * 16 + gpu::sum_output(block.lane(), n), sum.at[j], n);
    }
  }
}

template <class Shape, gpu::BlockOfGroups Block>
PENSTOCK_GPU void product_by_groups(Block& block, const ProductParams& p) {
  const int first_row = block.y() * Shape::kRows;
  const int first = block.x() * Shape::kOutputs;
  gpu::GroupSum<Shape::kOutputs> sum;
  multiply_groups<Shape>(
      block,
      GroupStages<Shape, Block>(block, p.in, {first_row, p.rows, p.columns},
                                p.weight, {first, p.outputs, p.columns}),
      sum);
  for_group_pairs<Shape>(
      block, sum, 4, [&](int r, int o, const gpu::TileSum& of, int i) {
        store_pair(block, p, first_row + r, first + o, of, i);
      });
}

/// In turns eight outputs of a block are gates and eight their ups.
template <class Shape, gpu::BlockOfGroups Block>
PENSTOCK_GPU void gated_by_groups(Block& block, const GatedProductParams& p) {
  const int first_row = block.y() * Shape::kRows;
  const int first = block.x() * Shape::kOutputs / 2;
  gpu::GroupSum<Shape::kOutputs> sum;
  multiply_groups<Shape>(
      block,
      GroupStages<Shape, Block>(block, p.in, {first_row, p.rows, p.columns},
                                p.weight,
                                {first, 2 * p.ffn, p.columns, p.ffn + first}),
      sum);
  for_group_pairs<Shape>(
      block, sum, 2, [&](int r, int o, const gpu::TileSum& of, int i) {
        store_gated(block, p, first_row + r, first, o, of, i);
      });
}

/// Runs what<Shape>() with the tiles that the params name.
template <class What>
PENSTOCK_GPU void with_groups(TileSize size, What what) {
  if (size == TileSize::kNarrowGroups) {
    what.template operator()<NarrowGroups>();
  } else if (size == TileSize::kMiddleGroups) {
    what.template operator()<MiddleGroups>();
  } else {
    what.template operator()<WideGroups>();
  }
}

template <gpu::BlockOfGroups Block>
PENSTOCK_GPU void group_product(Block& block, const ProductParams& p) {
  block.wait_previous();
  with_groups(p.tiles,
              [&]<class Shape>() { product_by_groups<Shape>(block, p); });
}

template <gpu::BlockOfGroups Block>
PENSTOCK_GPU void group_gated(Block& block, const GatedProductParams& p) {
  block.wait_previous();
  with_groups(p.tiles,
              [&]<class Shape>() { gated_by_groups<Shape>(block, p); });
}

}  // namespace penstock::gemma::cuda
