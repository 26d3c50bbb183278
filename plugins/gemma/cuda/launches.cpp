#include "gemma/cuda/launches.h"

#include <cmath>

#include "gemma/cuda/launches_layer.h"
#include "gemma/cuda/shapes.h"
#include "penstock/error.h"

namespace penstock::gemma::cuda {
namespace {

/// Another kernel would take the tiles for some of its own, and compute on.
template <class Params>
const KernelOf<Params>& kernel_of(const KernelOf<Params>& by_tiles,
                                  const KernelOf<Params>& by_groups,
                                  const Params& params) {
  const bool is_known = params.tiles <= TileSize::kWideGroups;
  const bool is_of_numbers = params.weight.format == WeightFormat::kPlain;
  const bool wants_groups = is_of_groups(params.tiles);
  const KernelOf<Params>& out = wants_groups ? by_groups : by_tiles;
  if (is_known && out.exists() && (is_of_numbers || !wants_groups)) return out;
  throw Error(Code::kInternal,
              str("no kernel for a product of ", params.rows, " rows by tiles ",
                  int{static_cast<std::uint8_t>(params.tiles)}, " of weights ",
                  int{static_cast<std::uint8_t>(params.weight.format)},
                  ": those of warpgroups are for numbers, on cards that have "
                  "them; take tiles of best_tiles() for this card"));
}

}  // namespace

const KernelOf<ProductParams>& product_kernel(const Kernels& kernels,
                                              const ProductParams& params) {
  return kernel_of(kernels.of(params.weight.format).product,
                   kernels.groups.product, params);
}

const KernelOf<GatedProductParams>& product_kernel(
    const Kernels& kernels, const GatedProductParams& params) {
  return kernel_of(kernels.of(params.weight.format).gated_product,
                   kernels.groups.gated_product, params);
}

Residual Launches::residual(const Pending& in, const float* weight) const {
  return {.x = in.x,
          .y = in.y,
          .post = in.post,
          .weight = weight,
          .rows = in.rows,
          .hidden = i32(config_.hidden),
          .epsilon = static_cast<float>(config_.norm_epsilon)};
}

EmbedParams Launches::embed_params(const Rows& step) const {
  return {.tokens = step.tables.tokens.device,
          .positions = step.tables.positions.device,
          .embedding = model_.embedding(),
          .x = buffers_.x[0].as<float>(),
          .full_frequencies = model_.full_frequencies(),
          .local_frequencies = model_.local_frequencies(),
          .full_rope = buffers_.rope[kFull].as<float>(),
          .local_rope = buffers_.rope[kSliding].as<float>(),
          .rows = step.rows,
          .hidden = i32(config_.hidden),
          .head_dim = i32(config_.head_dim),
          .scale = std::sqrt(static_cast<float>(config_.hidden))};
}

void Launches::embed(const Rows& step) const {
  const EmbedParams params = embed_params(step);
  launch(kernels(params.embedding).embed, geometry(params), params);
}

void Launches::norm(const Residual& in) const {
  const NormParams params{.in = in, .out = buffers_.normed.as()};
  launch(kernels_.norm, geometry(params), params);
}

/// Those of warpgroups where the card has them, for numbers alone.
TileSize Launches::tiles_for(const Matrix& weight, std::int32_t rows,
                             std::int64_t outputs) const {
  if (!is_tiled(rows)) return TileSize::kSmall;
  return best_tiles(rows, outputs,
                    has_groups() && weight.format == WeightFormat::kPlain);
}

void Launches::product(const ProductParams& params) const {
  if (is_tiled(params.rows)) {
    launch(product_kernel(kernels_, params), tiled_geometry(params), params);
  } else {
    launch(kernels(params.weight).product_rows, rows_geometry(params), params);
  }
}

QkvParams Launches::qkv_params(const Rows& step, const Layer& layer,
                               const Residual& in) const {
  const PlaceParams place{.raw = buffers_.raw.as<float>(),
                          .q_norm = layer.weights.q_norm,
                          .k_norm = layer.weights.k_norm,
                          .rope = layer.rope,
                          .positions = step.tables.positions.device,
                          .slots = step.tables.slots.device,
                          .q = buffers_.q.as<float>(),
                          .cache = layer.cache,
                          .rows = step.rows,
                          .heads = i32(config_.heads),
                          .kv_heads = i32(config_.kv_heads),
                          .head_dim = i32(config_.head_dim),
                          .epsilon = static_cast<float>(config_.norm_epsilon)};
  return {.in = in,
          .weight = layer.weights.qkv,
          .place = place,
          .tickets = buffers_.qkv_tickets.as<std::uint32_t>()};
}

void Launches::qkv(const Rows& step, const Layer& layer,
                   const Residual& in) const {
  const QkvParams params = qkv_params(step, layer, in);
  if (is_tiled(step.rows)) {
    const PlaceParams& place = params.place;
    norm(in);
    product(product_params(buffers_.normed.as(), layer.weights.qkv, place.raw,
                           step.rows, place.all_heads() * config_.head_dim,
                           config_.hidden));
    launch(kernels_.place, geometry(place), place);
    return;
  }
  launch(kernels(params.weight).qkv, geometry(params, limits_.type), params);
}

AttentionParams Launches::attention_params(const Rows& step, const Layer& layer,
                                           std::int32_t rows,
                                           const std::int32_t* pick) const {
  return {.q = buffers_.q.as<float>(),
          .positions = step.tables.positions.device,
          .slots = step.tables.slots.device,
          .pick = pick,
          .cache = layer.cache,
          .out = buffers_.attended.as(),
          .partial = buffers_.partial.as<float>(),
          .tickets = buffers_.attention_tickets.as<std::uint32_t>(),
          .rows = rows,
          .heads = i32(config_.heads),
          .kv_heads = i32(config_.kv_heads),
          .head_dim = i32(config_.head_dim),
          .window = layer.kind == kSliding ? i32(config_.window) : 0,
          .splits = splits_for(config_, limits_, rows, step.keys[layer.kind])};
}

void Launches::attend(const Rows& step, const Layer& layer, std::int32_t rows,
                      const std::int32_t* pick) const {
  const AttentionParams params = attention_params(step, layer, rows, pick);
  launch(kernels_.attention, geometry(params, limits_.type), params);
}

void Launches::attend_tiles(const Rows& step, const Layer& layer) const {
  const AttentionTileParams params{
      .q = buffers_.q.as<float>(),
      .positions = step.tables.positions.device,
      .slots = step.tables.slots.device,
      .tiles = step.tables.tiles.device,
      .cache = layer.cache,
      .out = buffers_.attended.as(),
      .count = step.tiles,
      .heads = i32(config_.heads),
      .kv_heads = i32(config_.kv_heads),
      .head_dim = i32(config_.head_dim),
      .window = layer.kind == kSliding ? i32(config_.window) : 0,
      .groups = step.groups};
  if (step.groups > 0) {
    launch(kernels_.groups.attention_tile, group_geometry(params), params);
  } else {
    launch(kernels_.attention_tile, geometry(params), params);
  }
}

GateUpParams Launches::gate_up_params(const Layer& layer,
                                      const Residual& in) const {
  return {.in = in,
          .weight = layer.weights.gate_up,
          .out = buffers_.gated.as(),
          .ffn = i32(config_.ffn)};
}

void Launches::gate_up(const Layer& layer, const Residual& in) const {
  if (is_tiled(in.rows)) {
    norm(in);
    const GatedProductParams params{
        .in = buffers_.normed.as(),
        .weight = layer.weights.gate_up,
        .out = buffers_.gated.as(),
        .rows = in.rows,
        .ffn = i32(config_.ffn),
        .columns = i32(config_.hidden),
        .tiles = tiles_for(layer.weights.gate_up, in.rows, 2 * config_.ffn)};
    launch(product_kernel(kernels_, params), geometry(params), params);
    return;
  }
  const GateUpParams params = gate_up_params(layer, in);
  launch(kernels(params.weight).gate_up, geometry(params, limits_.type),
         params);
}

ProductParams Launches::product_params(const void* in, const Matrix& weight,
                                       float* out, std::int32_t rows,
                                       std::int64_t outputs,
                                       std::int64_t columns) const {
  return {.in = in,
          .weight = weight,
          .out = out,
          .rows = rows,
          .outputs = i32(outputs),
          .columns = i32(columns),
          .tiles = tiles_for(weight, rows, outputs)};
}

ProductParams Launches::out_params(const Layer& layer,
                                   std::int32_t rows) const {
  return product_params(buffers_.attended.as(), layer.weights.out,
                        buffers_.y.as<float>(), rows, config_.hidden,
                        config_.heads * config_.head_dim);
}

ProductParams Launches::down_params(const Layer& layer,
                                    std::int32_t rows) const {
  return product_params(buffers_.gated.as(), layer.weights.down,
                        buffers_.y.as<float>(), rows, config_.hidden,
                        config_.ffn);
}

float* Launches::spare(const float* x) const {
  auto* const first = buffers_.x[0].as<float>();
  return x == first ? buffers_.x[1].as<float>() : first;
}

Pending Launches::run_layer(const Rows& step, const Layer& layer,
                            Pending at) const {
  Residual in = residual(at, layer.weights.attention_norm);
  if (at.y != nullptr) at.x = in.x_out = spare(at.x);
  qkv(step, layer, in);
  // After the last attention only scored rows matter.
  const std::int32_t rows = layer.is_last ? step.scored : step.rows;
  if (rows == 0) return {};
  const bool is_picked = layer.is_last && !step.all_scored;
  const auto* const pick = is_picked ? step.tables.scored.device : nullptr;
  auto* const y = buffers_.y.as<float>();
  if (step.tiles > 0 && pick == nullptr) {
    attend_tiles(step, layer);
  } else {
    attend(step, layer, rows, pick);
  }
  product(out_params(layer, rows));
  at = {.x = at.x,
        .y = y,
        .post = layer.weights.post_attention_norm,
        .rows = rows};
  in = residual(at, layer.weights.ffn_norm);
  in.x_rows = pick;
  at.x = in.x_out = spare(at.x);
  gate_up(layer, in);
  product(down_params(layer, rows));
  at.post = layer.weights.post_ffn_norm;
  return at;
}

/// The i-th; `of_kind`: of each kind, those before it, counted on.
Launches::Layer Launches::layer_at(
    std::int64_t i, std::array<std::int64_t, kKinds>& of_kind) const {
  const std::size_t kind = config_.is_sliding(i) ? kSliding : kFull;
  return {.weights = model_.layer(i),
          .kind = kind,
          .cache = buffers_.cache(kind, of_kind[kind]++),
          .rope = buffers_.rope[kind].as<float>(),
          .is_last = i + 1 == config_.layers};
}

Pending Launches::layers(const Rows& step, const Show& show) const {
  embed(step);
  Pending at{.x = buffers_.x[0].as<float>(), .rows = step.rows};
  if (show) show(-1, at);
  std::array<std::int64_t, kKinds> of_kind{};
  for (std::int64_t i = 0; i < config_.layers; ++i) {
    const Layer layer = layer_at(i, of_kind);
    at = run_layer(step, layer, at);
    if (show && at.rows > 0) show(i, at);
  }
  return at;
}

Choice Launches::choice(std::int32_t first, const HeadWants& wants,
                        const Answers& to, const StepTables& tables,
                        std::int32_t blocks) const {
  const std::int32_t single = wants.whole ? 0 : wants.ids;
  return {
      .scored = tables.scored.device + first,
      .masks = wants.masks ? buffers_.masks.as<std::uint32_t>() : nullptr,
      .mask_rows = wants.masks ? tables.mask_rows.device + first : nullptr,
      .wanted_ids =
          single > 0 ? tables.wanted_ids.device + first * single : nullptr,
      .wanted_scores = single > 0 ? to.at<float>(to.layout.single) : nullptr,
      .full = wants.whole ? buffers_.scores.as<float>() : nullptr,
      .best = buffers_.best.as<std::uint64_t>(),
      .sums = wants.norm && !wants.whole ? buffers_.sums.as<float>() : nullptr,
      .vocab = i32(config_.vocab),
      .wanted = single,
      .k = wants.k,
      .blocks = blocks};
}

void Launches::head(const Pending& all, std::int32_t first, std::int32_t count,
                    const HeadWants& wants, const Answers& to,
                    const StepTables& tables) const {
  Pending some = all;
  some.x += first * config_.hidden;
  some.y += first * config_.hidden;
  some.rows = count;
  const Residual in = residual(some, model_.norm());
  const Choice what =
      choice(first, wants, to, tables, blocks_for(config_, limits_));
  if (is_tiled(count)) {
    auto* const scores = buffers_.scores.as<float>();
    norm(in);
    product(product_params(buffers_.normed.as(), model_.output(), scores, count,
                           config_.vocab, config_.hidden));
    if (wants.whole) return;
    const ScanParams scan{.scores = scores, .choice = what, .rows = count};
    launch(kernels_.scan, geometry(scan), scan);
  } else {
    const HeadParams head{.in = in, .weight = model_.output(), .choice = what};
    if (is_screened(wants)) {
      screen(head);
    } else {
      launch(kernels(head.weight).head, geometry(head, limits_.type), head);
    }
    if (wants.whole) return;
  }
  select(what, wants, to, count);
}

SelectParams Launches::select_params(const Choice& what, const HeadWants& wants,
                                     const Answers& to,
                                     std::int32_t rows) const {
  return {.best = what.best,
          .sums = what.sums,
          .ids = to.at<std::int32_t>(to.layout.ids),
          .values = to.at<float>(to.layout.values),
          .norm = wants.norm ? to.at<float>(to.layout.norm) : nullptr,
          .rows = rows,
          .blocks = what.blocks,
          .k = what.k};
}

void Launches::select(const Choice& what, const HeadWants& wants,
                      const Answers& to, std::int32_t rows) const {
  const SelectParams params = select_params(what, wants, to, rows);
  launch(kernels_.select, geometry(params), params);
}

void Launches::draw(const Answers& from, const Answers& to,
                    const StepTables& tables, std::int32_t ids) const {
  static_assert(kMostBest + kMostWanted <= kDrawThreads);
  const DrawParams params{.draws = tables.draws.device,
                          .edits = tables.edits.device,
                          .ids = from.at<std::int32_t>(from.layout.ids),
                          .values = from.at<float>(from.layout.values),
                          .singles = from.at<float>(from.layout.single),
                          .tokens = tables.tokens.device,
                          .wanted_ids = tables.wanted_ids.device,
                          .drawn = to.at<std::int32_t>(to.layout.drawn),
                          .rows = i32(std::ssize(tables.tokens.host)),
                          .k = from.layout.k,
                          .single = from.layout.singles,
                          .most_edits = ids,
                          .wanted = ids};
  launch(kernels_.draw, geometry(params), params);
}

}  // namespace penstock::gemma::cuda
