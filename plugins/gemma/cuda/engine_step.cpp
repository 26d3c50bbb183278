// CudaEngine: from a step's rows to tables, launches and graphs.
#include <algorithm>
#include <bit>

#include "gemma/cuda/engine.h"
#include "gemma/cuda/shapes.h"
#include "gemma/cuda/turn.h"

namespace penstock::gemma::cuda {

void CudaEngine::fill_tables(const Turn& turn, const Pass& pass,
                             const StepTables& tables) const {
  tables.clear();
  std::size_t row = 0;
  for (const Pass::Part& part : pass.parts) {
    for (std::int64_t i = 0; i < part.count; ++i, ++row) {
      tables.tokens.host[row] =
          i32(turn.tokens[static_cast<std::size_t>(part.at + i)]);
      tables.positions.host[row] = i32(part.begin + i);
      tables.slots.host[row] = part.slot;
    }
  }
  std::copy(pass.scored.begin(), pass.scored.end(), tables.scored.host.begin());
  for (std::size_t i = 0; i < pass.tiles.size(); ++i) {
    std::copy(pass.tiles[i].begin(), pass.tiles[i].end(),
              tables.tiles.host.begin() + static_cast<std::ptrdiff_t>(2 * i));
  }
  const auto single = static_cast<std::size_t>(turn.wants.ids);
  const auto positions = turn.scored(pass, 0, pass.scores());
  for (std::size_t i = 0; i < positions.size(); ++i) {
    if (positions[i].allowed() != nullptr) {
      tables.mask_rows.host[i] =
          i32(static_cast<std::int64_t>(i)) % limits_.head_rows;
    }
    if (single == 0 || turn.wants.whole) continue;
    put_wanted_ids(positions[i], turn.wants,
                   tables.wanted_ids.host.subspan(i * single, single));
  }
}

/// Of rows scored together, into the places that mask_rows names.
void CudaEngine::put_masks(std::span<const Position> positions) const {
  const auto words = static_cast<std::size_t>(mask_words(config_));
  const std::span masks(buffers_.masks_host.as<std::uint32_t>(),
                        positions.size() * words);
  for (std::size_t i = 0; i < positions.size(); ++i) {
    const TokenSet* allowed = positions[i].allowed();
    if (allowed == nullptr) continue;
    put_mask(*allowed, masks.subspan(i * words, words));
  }
}

void CudaEngine::send_masks(std::int64_t rows) {
  api_->copy_in(buffers_.masks.as(), buffers_.masks_host.as(),
                static_cast<std::size_t>(rows * mask_words(config_)) *
                    sizeof(std::uint32_t));
}

/// Where a sequence has several rows, its queries share reads of keys.
void CudaEngine::cut_tiles(Pass& pass) const {
  constexpr std::int64_t kLeast = 4;
  const bool is_worth_it =
      std::any_of(pass.parts.begin(), pass.parts.end(),
                  [](const Pass::Part& part) { return part.count >= kLeast; });
  if (!is_worth_it || !is_tiled(limits_.type, pass.rows)) return;
  const auto heads = i32(config_.heads);
  const auto kv_heads = i32(config_.kv_heads);
  if (launches_.has_groups()) {
    const auto blocks = [&](int groups) {
      std::int64_t tiles = 0;
      const int most = attention_tile_tokens(heads, kv_heads, groups);
      for (const Pass::Part& part : pass.parts) {
        tiles += (part.count + most - 1) / most;
      }
      return tiles * attention_shares(heads, kv_heads);
    };
    pass.groups = attention_groups(blocks(1), blocks(2), i32(config_.head_dim),
                                   limits_.processors);
  }
  const std::int32_t most = attention_tile_tokens(heads, kv_heads, pass.groups);
  std::int32_t row = 0;
  for (const Pass::Part& part : pass.parts) {
    for (std::int64_t at = 0; at < part.count; at += most) {
      const std::int32_t count = std::min(most, i32(part.count - at));
      pass.tiles.push_back({row, count});
      row += count;
    }
  }
}

std::array<std::int64_t, kKinds> CudaEngine::keys(std::int64_t longest) const {
  return {longest, std::min(longest, config_.window)};
}

std::int32_t CudaEngine::graph_rows(std::int32_t rows) const {
  return std::min(
      limits_.head_rows,
      static_cast<std::int32_t>(std::bit_ceil(static_cast<unsigned>(rows))));
}

void CudaEngine::run_graph(Turn& turn, const Pass& pass) {
  const std::int32_t rows = graph_rows(pass.rows);
  const StepTables tables(
      buffers_.tables_host[0], buffers_.tables,
      {.rows = rows, .scores = rows, .ids = turn.wants.ids});
  fill_tables(turn, pass, tables);
  const auto positions = turn.scored(pass, 0, pass.rows);
  if (turn.wants.masks) put_masks(positions);
  queue_graph(turn.wants, 0, {},
              {.tables = tables,
               .rows = rows,
               .scored = rows,
               .all_scored = true,
               .keys = keys(pass.longest())});
  const std::vector<AnswerPlace> places = places_of(positions);
  const bool is_all = pass.rows == std::ssize(turn.step.slices);
  if (is_all && runs_ahead_ && can_go_on(turn.step, turn.wants)) {
    api_->mark(0);
    begin_next(turn, queued_step(turn.step, turn.wants, rows),
               {places.begin(), places.end()});
    api_->wait_for(0);
  } else {
    api_->wait();
  }
  append(turn.scores,
         read_answers(buffers_.answers_host[0].as(),
                      AnswerLayout(turn.wants, rows, /*is_drawn=*/false),
                      turn.wants, positions, places));
}

void CudaEngine::queue_graph(const HeadWants& wants, int set,
                             std::optional<AnswerLayout> drawn_from,
                             const Rows& rows) {
  GraphKey key{.rows = rows.rows,
               .splits = {},
               .wants = wants,
               .set = set,
               .drawn_from = drawn_from};
  for (const std::size_t kind : {kFull, kSliding}) {
    key.splits[kind] = splits_for(config_, limits_, rows.rows, rows.keys[kind]);
  }
  api_->replay(graph_for(key, rows));
}

void CudaEngine::enqueue(const GraphKey& key, const Rows& rows) {
  rows.tables.send(*api_);
  if (key.wants.masks) send_masks(rows.rows);
  const auto set = static_cast<std::size_t>(key.set);
  const AnswerLayout layout = key.layout();
  const Answers to{buffers_.answers[set], layout};
  if (key.drawn_from) {
    launches_.draw({buffers_.answers[1 - set], *key.drawn_from}, to,
                   rows.tables, key.wants.ids);
  }
  if (limits_.step_blocks > 0 && rows.rows <= kRowTile) {
    launches_.step(rows, key.wants, to);
  } else {
    const Pending residual = launches_.layers(rows, {});
    launches_.head(residual, 0, rows.rows, key.wants, to, rows.tables);
  }
  api_->copy_out(buffers_.answers_host[set].as(), buffers_.answers[set].as(),
                 static_cast<std::size_t>(layout.bytes));
}

gpu::DeviceApi::Graph CudaEngine::graph_for(const GraphKey& key,
                                            const Rows& rows) {
  const auto found = graphs_.find(key);
  if (found != graphs_.end()) return found->second;
  api_->begin_capture();
  try {
    enqueue(key, rows);
  } catch (...) {
    api_->destroy(api_->end_capture());
    throw;
  }
  const auto graph = api_->end_capture();
  graphs_.emplace(key, graph);
  return graph;
}

void CudaEngine::run_launches(Turn& turn, const Pass& pass) {
  const StepTables tables(buffers_.tables_host[0], buffers_.tables,
                          {.rows = pass.rows,
                           .scores = pass.scores(),
                           .ids = turn.wants.ids,
                           .tiles = std::ssize(pass.tiles)});
  fill_tables(turn, pass, tables);
  tables.send(*api_);
  const Pending residual =
      launches_.layers({.tables = tables,
                        .rows = pass.rows,
                        .scored = pass.scores(),
                        .all_scored = pass.scores() == pass.rows,
                        .keys = keys(pass.longest()),
                        .tiles = i32(std::ssize(pass.tiles)),
                        .groups = pass.groups},
                       shower(turn.step.probe));
  if (pass.scores() > 0) {
    if (turn.scores.hidden.defined()) {
      fetch_hidden(residual, turn.scores.hidden.mutable_data_ptr<float>() +
                                 pass.first_scored * config_.hidden);
    }
    if (turn.wants.any) score(turn, pass, residual, tables);
  }
  api_->wait();
}

}  // namespace penstock::gemma::cuda
