// Numbers that the kernels' bodies and the shapes of their launches share.
#pragma once

#include "gemma/cuda/kernels.h"
#include "lib/gpu/groups.h"

namespace penstock::gemma::cuda {

inline constexpr int kWarpThreads = 32;

inline constexpr int kEmbedThreads = 256;
inline constexpr int kNormThreads = 128;   ///< a warp has a row
inline constexpr int kPlaceThreads = 128;  ///< a warp has a head of a row
inline constexpr int kScanThreads = 128;   ///< a warp has a row

/// Outputs of a block of qkv, two a warp: a head has a whole number of blocks.
inline constexpr int kQkvOutputs = 8;
inline constexpr int kQkvThreads = kQkvOutputs / 2 * kWarpThreads;
inline constexpr int kQkvBlocks = 4;  ///< of a processor, where ptxas spills
inline constexpr int kGateThreads = 256;  ///< a warp has one gate and its up
inline constexpr int kRowsThreads = 128;  ///< that share two rows of weights
inline constexpr int kHeadThreads = 256;
/// Of a processor, so that 128 registers are a thread's.
inline constexpr int kHeadBlocks = 2;

inline constexpr int kAttentionThreads = 128;
inline constexpr int kAttentionWarps = kAttentionThreads / kWarpThreads;
inline constexpr int kAttentionHeads = 4;  ///< most query heads of a block
inline constexpr int kKeyTile = 64;        ///< keys between two barriers

// The screen. Hidden states become codes of up to kMostCode.
inline constexpr int kScreenColumns = 16;  ///< that a lane reads at once
inline constexpr float kMostCode = 32512;
/// Not screened is what may have scores above the most, or has no number above
/// the least, whose square would be none.
inline constexpr float kMostScreened = 1e30F, kLeastScreened = 1e-15F;
/// A length as a float's sum has it, times this, is no shorter than it is.
inline constexpr float kLengthSlack = 1.001F;
inline constexpr float kScoreSlack = 1e-30F;  ///< of products below a float's

inline constexpr int kSelectThreads = 256;
/// Most blocks that select merges.
inline constexpr int kMostBlocks = 1024;

// One kernel for a step: its blocks do tasks of all kinds, so they have as many
// threads as those whose sums depend on it.
inline constexpr int kStepThreads = 128;
/// Of a processor, so that 168 registers are a thread's.
inline constexpr int kStepBlocks = 3;
static_assert(kStepThreads == kQkvThreads && kStepThreads == kRowsThreads &&
              kStepThreads == kAttentionThreads);
inline constexpr int kStepAttentionHeads = 2;  ///< as kAttentionHeads
inline constexpr int kCounterWords = 8;  ///< of a counter: 32 bytes, one reader

/// A thread has a candidate: one of the best, or one that is edited.
inline constexpr int kDrawThreads = 160;

/// Most scores that best.h sorts.
inline constexpr int kMostReach = 4 * kWarpThreads;

/// Query heads that a block of attention has: 1, 2 or 4 of a kv head's, and no
/// more than `most`.
[[nodiscard]] constexpr int attention_heads(int group,
                                            int most = kAttentionHeads) {
  return group >= most ? most : group == 3 ? 4 : group;
}
/// Blocks of a row's split: each kv head's query heads by so many.
[[nodiscard]] constexpr int attention_shares(int heads, int kv_heads,
                                             int most = kAttentionHeads) {
  const int each = attention_heads(heads / kv_heads, most);
  return kv_heads * ((heads / kv_heads + each - 1) / each);
}

/// Tokens of a block of the vocabulary, of which there are `blocks`: a multiple
/// of 32, so that a word of a mask has one reader.
[[nodiscard]] constexpr int block_tokens(int vocab, int blocks) {
  return (vocab + blocks * kWarpThreads - 1) / (blocks * kWarpThreads) *
         kWarpThreads;
}

/// Of a block's memory, where compute capability 9.0 is all that counts.
inline constexpr int kMostGroupShared = 227 << 10;

/// How a product by tensor cores is cut: a block's rows and outputs, columns of
/// a stage, a warp's tiles of 16 x 16, and stages.
template <int kRowCount, int kOutputCount, int kColumnCount, int kWarpRowTiles,
          int kWarpOutputTiles, int kStageCount>
struct TileShape {
  static constexpr int kRows = kRowCount, kOutputs = kOutputCount;
  static constexpr int kColumns = kColumnCount;
  static constexpr int kRowTiles = kWarpRowTiles;
  static constexpr int kOutputTiles = kWarpOutputTiles;
  static constexpr int kWarpsAcross = kOutputs / (kOutputTiles * 16);
  static constexpr int kThreads =
      kRows / (kRowTiles * 16) * kWarpsAcross * kWarpThreads;
  /// One is multiplied while the others are copied.
  static constexpr int kStages = kStageCount;
  /// Between rows in shared memory: 16 bytes more, so that the eight rows that
  /// one instruction reads are in different banks.
  static constexpr int kStride = kColumns + 8;
  static constexpr int kStage = (kRows + kOutputs) * kStride;
  static constexpr int kBytes = kStages * kStage * 2;
  static_assert(kBytes <= 96 << 10);
};
/// For few blocks: deep stages hide what memory takes to answer.
using SmallTiles = TileShape<64, 64, 64, 2, 2, 4>;
/// Half the reads of the second cache for each product.
using LargeTiles = TileShape<128, 128, 32, 4, 2, 4>;
/// A third of them, and half the reads of shared memory: for many blocks.
using HugeTiles = TileShape<128, 256, 32, 4, 4, 3>;
inline constexpr int kMostTileThreads = HugeTiles::kThreads;
static_assert(LargeTiles::kThreads <= kMostTileThreads);

/// The same by products of warpgroups, of which two have 64 rows each. While
/// one stage is multiplied the next two are copied, and the one before it
/// nobody touches: others may not be done with it.
template <int kOutputCount>
struct GroupShape {
  static constexpr int kRows = 128, kOutputs = kOutputCount, kColumns = 64;
  static constexpr int kThreads = kRows / 64 * 4 * kWarpThreads;
  static constexpr int kStages = 4;
  static constexpr int kStage = (kRows + kOutputs) * kColumns;
  static constexpr int kBytes = kStages * kStage * 2;
  static_assert(kBytes <= kMostGroupShared);
  static_assert(kStage * 2 % gpu::kMatrixBytes == 0 &&
                    kRows * kColumns * 2 % gpu::kMatrixBytes == 0,
                "rows and outputs of each stage are matrices of their own");
};
using NarrowGroups = GroupShape<128>;
using MiddleGroups = GroupShape<160>;
using WideGroups = GroupShape<256>;
inline constexpr int kGroupThreads = WideGroups::kThreads;

// Attention by tensor cores: a block has 64 rows (tokens by query heads), a
// warp 16 of them, and takes 32 keys at a time.
inline constexpr int kQueryRows = 64;
inline constexpr int kQueryThreads = kQueryRows / 16 * kWarpThreads;
inline constexpr int kKeyStep = 32;
static_assert(kPageTokens % kKeyStep == 0, "a step's keys are in one page");
/// Between rows of queries, keys and values in shared memory: whole sixteens,
/// and 16 bytes more, as TileShape::kStride.
[[nodiscard]] constexpr int head_stride(int head_dim) {
  return (head_dim + 15) / 16 * 16 + 8;
}

/// Attention by products of warpgroups: each of a block's one or two has 64
/// rows, and they take a page of keys at a time.
inline constexpr int kGroupQueryRows = 64;
inline constexpr int kMostGroups = 2;
static_assert(kGroupThreads == kMostGroups * 4 * kWarpThreads);
/// Lines of 64 numbers that a head has in shared memory: 1, 2 or 4.
[[nodiscard]] constexpr int head_lines(int head_dim) {
  return head_dim <= 64 ? 1 : head_dim <= 128 ? 2 : 4;
}
/// Bytes of shared memory of such a block: its queries, and keys and values of
/// two pages.
[[nodiscard]] constexpr int group_bytes(int groups, int head_dim) {
  return (groups * kGroupQueryRows + 4 * kPageTokens) * head_lines(head_dim) *
         64 * 2;
}
/// Blocks of one warpgroup that a processor has at once: two by their
/// registers, where their shared memory allows it.
[[nodiscard]] constexpr int one_group_blocks(int head_dim) {
  return 2 * group_bytes(1, head_dim) <= kMostGroupShared ? 2 : 1;
}
static_assert(group_bytes(kMostGroups, kMostHeadDim) <= kMostGroupShared);

}  // namespace penstock::gemma::cuda
