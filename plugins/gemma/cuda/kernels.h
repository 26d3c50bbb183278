// The kernels of Gemma 3 on a GPU: their params, the shapes of their launches,
// and the tables of them. No CUDA header: who launches them needs no nvcc.
//
// A layer with few rows is five launches, each block of which repeats the norm
// of its rows, so that no launch is only a norm:
//
//   qkv | attention | product_rows (out) | gate_up | product_rows (down)
//
// and one with many (is_tiled()), by tensor cores:
//
//   norm | product (qkv) | place | attention_tile | product (out) | norm
//   | gated_product | product (down)
//
// Then head and select or, for many rows, norm, product, scan and select; for
// few whose best tokens alone are wanted, screen, refine and select. A step
// that nobody asked for yet begins with draw, which makes its tokens. All that
// a step of few rows launches but draw can be one kernel, `step`.
//
// Number types. `Act`: f32 or bf16, of the cache and of what products multiply
// by weights. Weights are of the same type, or codes with scales (matrix.h).
// Residuals, queries, norms, sums and scores are f32 always.
//
// Rows are the tokens of a step end to end. An empty row (position or pick -1)
// fills a batch up to the size that a graph was captured for: it is computed
// as zeros and touches no cache.
//
// Tensors begin on 16 bytes. hidden, ffn and head_dim are multiples of 8.
#pragma once

#include <cstdint>

#include "gemma/cuda/matrix.h"
#include "lib/gpu/kernel.h"

namespace penstock::gemma::cuda {

using gpu::Geometry;
using gpu::Kernel;
using gpu::KernelOf;

inline constexpr int kPageTokens = 64;  ///< of a page of the cache
inline constexpr int kRowTile = 8;      ///< rows that share a read of weights
/// Largest k of head, scan and select: what top_k 64 needs, one that shows
/// whether others equal the last, and some that are edited.
inline constexpr int kMostBest = 72;
inline constexpr int kMostSplits = 64;  ///< of attention
inline constexpr int kMostHeadDim = 256;

/// The residual before a norm, and the norm:
///   x' = x + norm(y) * post;  normed = norm(x') * weight
/// where norm(v) = v / sqrt(mean(v^2) + epsilon). Factors as Checkpoint::norm()
/// gives them, 1 included.
struct Residual {
  const float* x = nullptr;       ///< [*, hidden]
  const float* y = nullptr;       ///< [*, hidden]; null: x' = x
  const float* post = nullptr;    ///< [hidden], with y
  const float* weight = nullptr;  ///< [hidden]
  /// x' by row [rows, hidden]; null: not kept. Not x: others still read that.
  float* x_out = nullptr;
  float* normed_out = nullptr;           ///< f32 [rows, hidden]; null: not kept
  const std::int32_t* x_rows = nullptr;  ///< row of x by row, -1: empty;
                                         ///< null: the same
  const std::int32_t* y_rows = nullptr;  ///< row of y by row, likewise
  std::int32_t rows = 0, hidden = 0;
  float epsilon = 0;
};

/// Keys and values in pages of kPageTokens tokens. Page p, kind 0 (keys) or 1
/// (values), kv head h, token t of the page and number d are at
///   ((((p * 2 + kind) * kv_heads) + h) * kPageTokens + t) * head_dim + d
/// of the pool.
struct Cache {
  void* pool = nullptr;  ///< Act
  /// Page by slot and position / kPageTokens, [*, table_stride]; of this layer.
  const std::int32_t* table = nullptr;
  std::int32_t table_stride = 0;
};

/// x = embedding[token] * scale and, by row, the cosines and sines that the
/// step's positions are rotated by.
struct EmbedParams {
  const std::int32_t* tokens = nullptr;     ///< [rows]
  const std::int32_t* positions = nullptr;  ///< [rows], -1: empty
  Matrix embedding = {};                    ///< [vocab, hidden]
  float* x = nullptr;                       ///< [rows, hidden]
  /// By pair of numbers, [head_dim / 2]: of full and of sliding layers.
  const float* full_frequencies = nullptr;
  const float* local_frequencies = nullptr;
  /// [rows, head_dim / 2, (cos, sin)]
  float* full_rope = nullptr;
  float* local_rope = nullptr;
  std::int32_t rows = 0, hidden = 0, head_dim = 0;
  float scale = 0;  ///< sqrt(hidden)
};

/// What becomes of q, k and v: norms of q and k, rotation, k and v into the
/// cache. Alone it is the params of `place` (launched after `product`).
struct PlaceParams {
  /// [rows, (heads + 2 kv_heads) * head_dim]: heads of q, then of k, then of v.
  float* raw = nullptr;
  const float* q_norm =
      nullptr;  ///< [head_dim], attention's scale multiplied in
  const float* k_norm = nullptr;  ///< [head_dim]
  const float* rope = nullptr;    ///< of EmbedParams, of this kind of layer
  const std::int32_t* positions = nullptr;  ///< [rows], -1: empty
  const std::int32_t* slots = nullptr;      ///< row of the page table, by row
  float* q = nullptr;                       ///< [rows, heads, head_dim]
  Cache cache;
  std::int32_t rows = 0, heads = 0, kv_heads = 0, head_dim = 0;
  float epsilon = 0;

  [[nodiscard]] constexpr int all_heads() const { return heads + 2 * kv_heads; }
};

struct QkvParams {
  Residual in;
  Matrix weight = {};  ///< [all_heads * head_dim, hidden]
  PlaceParams place;   ///< its raw is scratch
  /// Zero before and after, [row tiles (rows / kRowTile up), all_heads].
  std::uint32_t* tickets = nullptr;
};

/// Keys [max(0, position - window + 1), position] of each row; all of the
/// step's keys are in the cache already.
struct AttentionParams {
  const float* q = nullptr;                 ///< [*, heads, head_dim]
  const std::int32_t* positions = nullptr;  ///< [*], -1: empty
  const std::int32_t* slots = nullptr;      ///< [*]
  /// Row of the three above by row, -1: empty; null: the same.
  const std::int32_t* pick = nullptr;
  Cache cache;
  void* out = nullptr;  ///< Act [rows, heads * head_dim]
  /// Used with splits > 1: f32 of attention_partial_floats(), and tickets, zero
  /// before and after, [rows, heads] at most.
  float* partial = nullptr;
  std::uint32_t* tickets = nullptr;
  std::int32_t rows = 0, heads = 0, kv_heads = 0, head_dim = 0;
  std::int32_t window = 0;  ///< keys that are seen, itself one; 0: all
  std::int32_t splits = 1;  ///< blocks that share a row's keys
};

/// The same of many rows, by tensor cores: rows of one slot at positions one
/// after another, cut into tiles of attention_tile_tokens() at most. Rows that
/// are in no tile are not touched.
struct AttentionTileParams {
  const float* q = nullptr;                 ///< [rows, heads, head_dim]
  const std::int32_t* positions = nullptr;  ///< [rows]
  const std::int32_t* slots = nullptr;      ///< [rows]
  /// (first row, rows) by tile [count, 2]; 0 rows: an empty tile.
  const std::int32_t* tiles = nullptr;
  Cache cache;
  void* out = nullptr;  ///< Act [rows, heads * head_dim]
  std::int32_t count = 0, heads = 0, kv_heads = 0, head_dim = 0;
  std::int32_t window = 0;  ///< as of AttentionParams
  std::int32_t groups = 0;  ///< warpgroups of a block, of GroupKernels: 1 or 2
};

/// How a product by tensor cores is cut (shapes.h): 64 x 64 outputs a block,
/// 128 x 128 or 128 x 256; or, by warpgroups, 128 x 128, x 160 or x 256.
enum class TileSize : std::uint8_t {
  kSmall,
  kLarge,
  kHuge,
  kNarrowGroups,
  kMiddleGroups,
  kWideGroups
};
/// The one that is done first on a data centre's GPU: where `has_groups` one of
/// warpgroups too, which are seldom taken for few rows.
[[nodiscard]] TileSize best_tiles(std::int64_t rows, std::int64_t outputs,
                                  bool has_groups = false);
/// Whether it is one of those of GroupKernels.
[[nodiscard]] constexpr bool is_of_groups(TileSize size) {
  return size >= TileSize::kNarrowGroups;
}

/// out = in * weight^T; of few rows (product_rows, outputs even) or of many
/// (product). columns is a multiple of 8.
struct ProductParams {
  const void* in = nullptr;  ///< Act [rows, columns]
  Matrix weight = {};        ///< [outputs, columns]
  float* out = nullptr;      ///< [rows, outputs]
  std::int32_t rows = 0, outputs = 0, columns = 0;
  TileSize tiles = TileSize::kSmall;  ///< of product, and of which kernel
};

/// out = gelu_tanh(gate) * up
struct GateUpParams {
  Residual in;
  Matrix weight = {};   ///< [2 * ffn, hidden]: gate, then up
  void* out = nullptr;  ///< Act [rows, ffn]
  std::int32_t ffn = 0;
};

/// The same of many rows, after `norm`.
struct GatedProductParams {
  const void* in = nullptr;  ///< Act [rows, columns]
  Matrix weight = {};        ///< [2 * ffn, columns]: gate, then up
  void* out = nullptr;       ///< Act [rows, ffn]
  std::int32_t rows = 0, ffn = 0, columns = 0;
  TileSize tiles = TileSize::kSmall;
};

struct NormParams {
  Residual in;
  void* out = nullptr;  ///< Act [rows, hidden]
};

/// What is wanted of the scores of the vocabulary. A token that may not come
/// has the score -inf. NaN counts as the best of scores, so that it is seen; of
/// equal scores the lower id is better.
struct Choice {
  /// [rows], -1: an empty row, which fills a graph: of its tokens none may
  /// come, its norm is -inf, and `full` is left alone; null: no row is empty.
  const std::int32_t* scored = nullptr;
  /// Bits of the tokens that may come, [*, (vocab + 31) / 32]; token t is bit
  /// t % 32 of word t / 32.
  const std::uint32_t* masks = nullptr;
  const std::int32_t* mask_rows = nullptr;  ///< of masks by row; -1: all may
                                            ///< come; null: all, for all rows
  /// Single tokens whose scores are wanted, [rows, wanted], -1: none.
  const std::int32_t* wanted_ids = nullptr;
  float* wanted_scores = nullptr;  ///< [rows, wanted]; of -1: untouched
  float* full = nullptr;           ///< [rows, vocab]; null: not wanted
  /// Best k of each block, best first, [rows, blocks, k]. See pack_score().
  std::uint64_t* best = nullptr;
  /// Of each block, [rows, blocks, (largest score, sum of
  /// exp(score - largest))]; null: not wanted.
  float* sums = nullptr;
  std::int32_t vocab = 0, wanted = 0, k = 0;
  std::int32_t blocks = 0;  ///< that share the vocabulary: head_blocks()
};

/// Scores of few rows. x_rows (and y_rows) of `in` pick the wanted ones.
struct HeadParams {
  Residual in;
  Matrix weight = {};  ///< [vocab, hidden]
  Choice choice;
};

/// The head's weights once more, a byte a number, as `screen` reads them:
/// screen_codes.h. On the device.
struct ScreenCodes {
  /// 16 columns of 32 tokens side by side: columns [16 c, 16 c + 16) of token
  /// 32 p + l are the signed bytes from ((p * hidden / 16 + c) * 32 + l) * 16.
  const std::uint32_t* codes = nullptr;
  const float* scales = nullptr;  ///< of a code [vocab, to whole panels]
  /// How far from a score the codes' is at most, of a hidden state of length 1.
  const float* bounds = nullptr;  ///< [vocab, to whole panels]
  float longest = 0;              ///< no row of the weights is longer
};

/// What `head` finds of at most kRowTile rows, of numbers of bf16, without the
/// scores of all tokens: `screen` and then `refine`, which answer to the bit as
/// it does. choice.full and choice.sums are null.
struct ScreenedParams {
  HeadParams head;
  ScreenCodes codes;
  /// Between the two: the most that a token's score may be, [rows, vocab], and
  /// the least that the best token of a part of a block has, [rows, blocks,
  /// kLows].
  float* reach = nullptr;
  float* lows = nullptr;
};
inline constexpr int kLows = 2;

/// The same of scores that `product` made.
struct ScanParams {
  const float* scores = nullptr;  ///< [rows, vocab]; may be choice.full
  Choice choice;
  std::int32_t rows = 0;
};

/// Merges what the blocks of head or scan found.
struct SelectParams {
  const std::uint64_t* best = nullptr;  ///< [rows, blocks, k]
  const float* sums = nullptr;          ///< [rows, blocks, 2]; with norm
  std::int32_t* ids = nullptr;          ///< [rows, k] best first; -1: no more
  float* values = nullptr;              ///< [rows, k]; -inf: no more
  float* norm = nullptr;  ///< [rows] log of the sum of exp(score); null: no
  std::int32_t rows = 0, blocks = 0, k = 0;
};

/// How the token of a row is drawn from what the step before answered, as
/// penstock/draw.h has it.
struct DrawRow {
  double top_p = 1, min_p = 0, random = 0;
  float divisor = 0;       ///< of scores; 0: the best token
  std::int32_t from = -1;  ///< row of the answers; -1: an empty row
  std::int32_t best = 0;   ///< of them, so many of the best k
  std::int32_t edits = 0;
  std::int32_t top_k = 0;  ///< 0: all
  std::int32_t put = -1;   ///< place in wanted_ids for the token; -1: none
};
/// As Draw::Edit; the score is the at-th single one of the answers' row.
struct DrawEdit {
  std::int32_t id = -1, at = 0;
  float bias = 0, repetition = 1, minus = 0;
};
struct DrawParams {
  const DrawRow* draws = nullptr;      ///< [rows]
  const DrawEdit* edits = nullptr;     ///< [rows, most_edits]
  const std::int32_t* ids = nullptr;   ///< of SelectParams, [*, k]
  const float* values = nullptr;       ///< [*, k]
  const float* singles = nullptr;      ///< of Choice, [*, single]
  std::int32_t* tokens = nullptr;      ///< [rows]
  std::int32_t* wanted_ids = nullptr;  ///< of Choice, [rows, wanted]
  std::int32_t* drawn = nullptr;       ///< the tokens once more, [rows]
  std::int32_t rows = 0, k = 0, single = 0, most_edits = 0, wanted = 0;
};

/// The parts of a step by one kernel: those between kStepEmbed and kStepHead
/// once for each layer.
enum StepPart : std::uint8_t {
  kStepEmbed,
  kStepQkv,
  kStepAttention,
  kStepOut,
  kStepGateUp,
  kStepDown,
  kStepHead,
  kStepSelect,
  kStepParts
};
/// A layer of `step`: what its launches would take.
struct StepLayer {
  QkvParams qkv;
  AttentionParams attention;
  GateUpParams gate_up;
  ProductParams product[2];  ///< out and down
};
inline constexpr int kMostStepLayers = 48;
/// What stands around the layers.
struct StepEnds {
  EmbedParams embed;
  HeadParams head;
  SelectParams select;
};
/// How a step is cut into tasks, of which each is what a block of a launch
/// does, and where they are counted: of part n (but qkv's) in counter[n] +
/// layer * layer_counters.
struct StepPlan {
  std::int32_t layers = 0, rows = 0;
  std::int32_t tasks[kStepParts] = {};  ///< of attention for one split
  std::int32_t counter[kStepParts] = {};
  std::int32_t layer_counters = 0;
  std::int32_t shares = 0;          ///< of attention, for a row
  std::int32_t kv_head_shares = 0;  ///< of which a kv head has so many
  /// Of qkv: tasks of a head, and of a kv head with its queries, which have a
  /// counter together; heads of queries, and those of a kv head.
  std::int32_t head_tasks = 0, kv_head_tasks = 0;
  std::int32_t heads = 0, kv_heads = 0, group = 0;
};
/// A decoding step of at most kRowTile rows by one kernel, whose blocks are all
/// there at once and do as tasks what the blocks of its launches would.
struct StepParams {
  StepEnds ends;
  StepLayer layer[kMostStepLayers];
  /// Of tasks that are done, zero before and after; see StepPlan.
  std::uint32_t* counters = nullptr;
  StepPlan plan;
};
static_assert(sizeof(StepParams) <= gpu::kMostParamBytes,
              "kMostStepLayers is more than a kernel's params have room for");

/// Those that read weights, of one format of them.
struct WeightKernels {
  KernelOf<EmbedParams> embed;
  KernelOf<QkvParams> qkv;
  KernelOf<ProductParams> product_rows;
  KernelOf<GateUpParams> gate_up;
  KernelOf<HeadParams> head;
  KernelOf<ProductParams> product;
  KernelOf<GatedProductParams> gated_product;
};

/// Those of many rows that compute capability 9.0 has, and no other, by
/// products of warpgroups; of bf16. Weights are numbers, codes have none;
/// attention_tile goes with weights of any format.
struct GroupKernels {
  KernelOf<ProductParams> product;
  KernelOf<GatedProductParams> gated_product;
  KernelOf<AttentionTileParams> attention_tile;
};

/// One kernel a member, of one number type; those of WeightKernels of weights
/// of that type. attention_tile, place, norm, product, gated_product and scan
/// exist where is_tiled() can be true: of bf16. So do those of codes, and
/// screen and refine.
struct Kernels : WeightKernels {
  NumberType type = NumberType::kF32;
  WeightKernels int8, int4;
  KernelOf<AttentionParams> attention;
  KernelOf<SelectParams> select;
  KernelOf<DrawParams> draw;
  KernelOf<NormParams> norm;
  KernelOf<PlaceParams> place;
  KernelOf<AttentionTileParams> attention_tile;
  KernelOf<ScanParams> scan;
  KernelOf<ScreenedParams> screen, refine;
  KernelOf<StepParams> step;  ///< of weights of any format
  GroupKernels groups;        ///< empty where the card has none

  [[nodiscard]] const WeightKernels& of(WeightFormat format) const {
    switch (format) {
      case WeightFormat::kPlain:
        break;
      case WeightFormat::kInt8:
        return int8;
      case WeightFormat::kInt4:
        return int4;
    }
    return *this;
  }
};

/// Of the GPU; defined in kernels.cu alone. `has_groups`: with GroupKernels,
/// for DeviceFacts::has_groups.
[[nodiscard]] const Kernels& device_kernels(NumberType type, bool has_groups);
/// Defined in kernels_groups.cu alone.
[[nodiscard]] const GroupKernels& device_group_kernels();
/// Of the block simulator; defined in simulated.cpp alone.
[[nodiscard]] const Kernels& simulated_kernels(NumberType type,
                                               bool has_groups = false);

/// Whether a step's products, or a head, of so many rows go by tensor cores.
[[nodiscard]] bool is_tiled(NumberType type, int rows);

/// The sizes of a model that decide whether these kernels can run it, and what
/// is wrong: null, or a phrase such as "head_dim is not a multiple of 8".
struct Sizes {
  std::int64_t hidden = 0, heads = 0, kv_heads = 0, head_dim = 0, ffn = 0;
};
[[nodiscard]] const char* cannot_run(const Sizes& sizes, NumberType type);

// The shapes of launches. `processors` (SMs of the GPU) decides only how finely
// work is cut. Those with more than 48 KiB of shared memory need the attribute
// that allows it; none has more than 96 KiB but those of GroupKernels.
[[nodiscard]] Geometry geometry(const EmbedParams& p);
[[nodiscard]] Geometry geometry(const QkvParams& p, NumberType type);
[[nodiscard]] Geometry geometry(const AttentionParams& p, NumberType type);
[[nodiscard]] Geometry geometry(const AttentionTileParams& p);
/// Of the kernel attention_tile of GroupKernels.
[[nodiscard]] Geometry group_geometry(const AttentionTileParams& p);
[[nodiscard]] Geometry geometry(const GateUpParams& p, NumberType type);
[[nodiscard]] Geometry geometry(const HeadParams& p, NumberType type);
[[nodiscard]] Geometry screen_geometry(const ScreenedParams& p);
[[nodiscard]] Geometry refine_geometry(const ScreenedParams& p);
[[nodiscard]] Geometry geometry(const SelectParams& p);
[[nodiscard]] Geometry geometry(const DrawParams& p);
[[nodiscard]] Geometry geometry(const NormParams& p);
[[nodiscard]] Geometry geometry(const GatedProductParams& p);
[[nodiscard]] Geometry geometry(const PlaceParams& p);
[[nodiscard]] Geometry geometry(const ScanParams& p);
/// Of the kernel product_rows, and of the kernel product.
[[nodiscard]] Geometry rows_geometry(const ProductParams& p);
[[nodiscard]] Geometry tiled_geometry(const ProductParams& p);

/// Splits that keep `processors` busy where the longest row sees `keys` keys.
[[nodiscard]] int attention_splits(int rows, int kv_heads, std::int64_t keys,
                                   int processors);
/// Tokens of a whole tile of attention_tile: 64, 32 or 16; of blocks of two
/// warpgroups twice as many.
[[nodiscard]] int attention_tile_tokens(int heads, int kv_heads,
                                        int groups = 0);
/// Warpgroups of a block with which `processors` are done first, where so many
/// blocks are needed of one, and of two.
[[nodiscard]] int attention_groups(std::int64_t blocks_of_one,
                                   std::int64_t blocks_of_two, int head_dim,
                                   int processors);
[[nodiscard]] std::int64_t attention_partial_floats(const AttentionParams& p);
/// Blocks that a vocabulary is shared by, in head and scan, where so many are
/// wanted.
[[nodiscard]] int head_blocks(int vocab, int hidden, NumberType type,
                              int wanted);

/// What is wrong with a model for screen and refine, beside cannot_run(): null,
/// or a phrase. `blocks` share its vocabulary.
[[nodiscard]] const char* cannot_screen(int vocab, int hidden, int blocks);

/// What is wrong with a model for `step`, beside cannot_run(): null, or a
/// phrase.
[[nodiscard]] const char* cannot_step(std::int64_t layers);
/// Numbers of StepParams::counters.
[[nodiscard]] int step_counters(std::int64_t layers, std::int64_t kv_heads);
/// The plan of a step whose launches' params are there.
[[nodiscard]] StepPlan plan_of(const StepParams& p, int layers);
/// Shared memory of a block of it, where a vocabulary is shared by so many
/// tasks.
[[nodiscard]] unsigned step_bytes(const Sizes& sizes, std::int64_t vocab,
                                  int head_tasks, NumberType type);
/// `blocks`: all that there are at once.
[[nodiscard]] Geometry geometry(const StepParams& p, NumberType type,
                                int blocks);

/// A score with its token, of which the larger is the better. 0: none.
[[nodiscard]] std::uint64_t pack_score(float score, std::int32_t token);
[[nodiscard]] float packed_score(std::uint64_t packed);
[[nodiscard]] std::int32_t packed_token(std::uint64_t packed);

}  // namespace penstock::gemma::cuda
