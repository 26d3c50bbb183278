#include "gemma/cuda/buffers.h"

#include <algorithm>
#include <bit>

#include "gemma/cuda/answers.h"
#include "gemma/cuda/shapes.h"
#include "gemma/cuda/step_tables.h"
#include "gemma/engine.h"
#include "penstock/error.h"

namespace penstock::gemma::cuda {
namespace {

using Bytes = std::int64_t;

/// Of each member of Buffers but the pages.
struct BufferSizes {
  Bytes tables, page_table, x, normed, raw, q, attended, gated, rope, partial,
      qkv_tickets, attention_tickets, step_counters, scores, best, sums, masks,
      answers, fetched;

  [[nodiscard]] Bytes on_device() const {
    // x: two residuals and what is added to them; a rope of each kind.
    return tables + page_table + 3 * x + normed + raw + q + attended + gated +
           2 * rope + partial + qkv_tickets + attention_tickets +
           step_counters + scores + best + sums + masks + 2 * answers;
  }
};

/// Of what attention's splits leave behind, for any number of rows.
Bytes partial_bytes(const Config& c, const StepLimits& limits) {
  std::int64_t most = 1;
  for (std::int32_t rows = 1; rows <= limits.rows; ++rows) {
    most =
        std::max(most, attention_partial_floats(
                           {.cache = {},
                            .rows = rows,
                            .heads = static_cast<std::int32_t>(c.heads),
                            .kv_heads = static_cast<std::int32_t>(c.kv_heads),
                            .head_dim = static_cast<std::int32_t>(c.head_dim),
                            .splits = splits_for(c, limits, rows, c.context)}));
  }
  return most * 4;
}

BufferSizes sizes_of(const Config& c, const StepLimits& limits) {
  const std::int64_t rows = limits.rows;
  const std::int64_t number = bytes_of(limits.type);
  const std::int64_t all_heads = c.heads + 2 * c.kv_heads;
  const std::int64_t q = c.heads * c.head_dim;
  const std::int64_t blocks = blocks_for(c, limits);
  const std::int64_t step_rows = limits.step_blocks > 0 ? kRowTile : 0;
  // Lists of the head's blocks, or of the tasks of a step of few rows.
  const std::int64_t lists = std::max(limits.head_rows * blocks,
                                      step_rows * step_tasks_for(c, limits));
  const std::int64_t pages = (c.context + kPageTokens - 1) / kPageTokens;
  return {
      .tables = StepTables::bytes(limits.rows, limits.head_rows),
      .page_table = limits.slots * static_cast<Bytes>(kKinds) * pages * 4,
      .x = rows * c.hidden * 4,
      .normed = rows * c.hidden * number,
      .raw = rows * all_heads * c.head_dim * 4,
      .q = rows * q * 4,
      .attended = rows * q * number,
      .gated = rows * c.ffn * number,
      .rope = rows * c.head_dim * 4,
      .partial = partial_bytes(c, limits),
      .qkv_tickets = (rows + kRowTile - 1) / kRowTile * all_heads * 4,
      .attention_tickets = rows * c.heads * 4,
      .step_counters =
          step_rows > 0 ? step_counters(c.layers, c.kv_heads) * Bytes{4} : 0,
      .scores = limits.head_rows * c.vocab * 4,
      .best = lists * kMostBest * 8,
      .sums = lists * 2 * 4,
      .masks = limits.head_rows * mask_words(c) * 4,
      .answers = AnswerLayout::most_bytes(limits.head_rows),
      // Of scores, or of residuals with what is added to them.
      .fetched = kFetchedRows * std::max(c.vocab, 2 * c.hidden) * 4,
  };
}

/// Of a page in one layer.
Bytes page_bytes(const Config& c, NumberType type) {
  return 2 * c.kv_heads * kPageTokens * c.head_dim * bytes_of(type);
}

std::int64_t mib(Bytes bytes) {
  constexpr Bytes kMib = 1 << 20;
  return (bytes + kMib - 1) / kMib;
}

gpu::Memory on_device(gpu::DeviceApi& api, Bytes bytes) {
  // A model may have no layers of a kind.
  return bytes == 0 ? gpu::Memory()
                    : gpu::Memory(api, static_cast<std::size_t>(bytes));
}
gpu::Pinned on_host(gpu::DeviceApi& api, Bytes bytes) {
  return {api, static_cast<std::size_t>(bytes)};
}

}  // namespace

std::int64_t mask_words(const Config& config) {
  return (config.vocab + 31) / 32;
}

std::int32_t splits_for(const Config& config, const StepLimits& limits,
                        std::int32_t rows, std::int64_t keys) {
  const int splits = attention_splits(rows, static_cast<int>(config.kv_heads),
                                      keys, limits.processors);
  return std::min(
      kMostSplits,
      static_cast<int>(std::bit_ceil(static_cast<unsigned>(splits))));
}

std::int32_t blocks_for(const Config& config, const StepLimits& limits) {
  return head_blocks(static_cast<int>(config.vocab),
                     static_cast<int>(config.hidden), limits.type,
                     kHeadBlocks * limits.processors);
}

std::int32_t step_tasks_for(const Config& config, const StepLimits& limits) {
  return head_blocks(static_cast<int>(config.vocab),
                     static_cast<int>(config.hidden), limits.type,
                     kStepBlocks * limits.processors);
}

MemoryNeed memory_need(const Config& config, const StepLimits& limits,
                       std::int64_t chunk, std::int64_t weights) {
  MemoryNeed need;
  need.weights = weights;
  need.buffers = sizes_of(config, limits).on_device();
  const PageCounts layers = PageTables::layers_of(config);
  const Bytes page = page_bytes(config, limits.type);
  need.page = {layers[kFull] * page, layers[kSliding] * page};
  need.sequence = PageTables::most_pages(config, kRollback, chunk);
  return need;
}

PageCounts pages_that_fit(const MemoryNeed& need, int slots,
                          const gpu::DeviceMemory& memory,
                          std::string_view device) {
  // The rest is for the driver: contexts, code, graphs.
  constexpr std::int64_t kReserved = 32;
  const Bytes fixed = need.weights + need.buffers;
  const Bytes left = memory.free - memory.total / kReserved - fixed;
  const Bytes one = need.sequence_bytes();
  if (left < one) {
    throw Error(
        Code::kUnavailable,
        str(device, " has ", memory.free >> 20, " of ", memory.total >> 20,
            " MiB free, and the model needs ",
            mib(fixed + one + memory.total / kReserved), ": weights ",
            mib(need.weights), ", working memory ", mib(need.buffers),
            ", keys and values of one sequence ", mib(one), ", the driver ",
            mib(memory.total / kReserved),
            "; close what else uses the card, lower batch.max_step_tokens, or "
            "take a smaller model"));
  }
  const double share =
      std::min(1.0, static_cast<double>(left) /
                        (static_cast<double>(one) * std::max(1, slots)));
  PageCounts pages{};
  for (const std::size_t kind : {kFull, kSliding}) {
    const auto all = static_cast<double>(need.sequence[kind] * slots);
    // One sequence fits, whatever was rounded.
    pages[kind] =
        std::max(need.sequence[kind], static_cast<std::int64_t>(share * all));
  }
  return pages;
}

Buffers::Buffers(gpu::DeviceApi& api, const Config& config,
                 const StepLimits& limits, const PageCounts& page_counts)
    : layer_page(page_bytes(config, limits.type)),
      table_width((config.context + kPageTokens - 1) / kPageTokens) {
  const BufferSizes sizes = sizes_of(config, limits);
  const MemoryNeed need = memory_need(config, limits, 1, 0);
  for (gpu::Pinned& each : tables_host) each = on_host(api, sizes.tables);
  tables = on_device(api, sizes.tables);
  page_table_host = on_host(api, sizes.page_table);
  page_table = on_device(api, sizes.page_table);
  for (const std::size_t kind : {kFull, kSliding}) {
    pages[kind] = on_device(api, page_counts[kind] * need.page[kind]);
    rope[kind] = on_device(api, sizes.rope);
  }
  for (gpu::Memory& each : x) each = on_device(api, sizes.x);
  y = on_device(api, sizes.x);
  normed = on_device(api, sizes.normed);
  raw = on_device(api, sizes.raw);
  q = on_device(api, sizes.q);
  attended = on_device(api, sizes.attended);
  gated = on_device(api, sizes.gated);
  partial = on_device(api, sizes.partial);
  qkv_tickets = on_device(api, sizes.qkv_tickets);
  attention_tickets = on_device(api, sizes.attention_tickets);
  step_counters = on_device(api, sizes.step_counters);
  scores = on_device(api, sizes.scores);
  fetched = on_host(api, sizes.fetched);
  best = on_device(api, sizes.best);
  sums = on_device(api, sizes.sums);
  masks_host = on_host(api, sizes.masks);
  masks = on_device(api, sizes.masks);
  for (gpu::Memory& each : answers) each = on_device(api, sizes.answers);
  for (gpu::Pinned& each : answers_host) each = on_host(api, sizes.answers);
  // Kernels leave them so.
  api.fill(qkv_tickets.as(), 0, qkv_tickets.bytes());
  api.fill(attention_tickets.as(), 0, attention_tickets.bytes());
  if (step_counters.bytes() > 0) {
    api.fill(step_counters.as(), 0, step_counters.bytes());
  }
}

Cache Buffers::cache(std::size_t kind, std::int64_t layer) const {
  return {.pool = pages[kind].as(static_cast<std::size_t>(layer * layer_page)),
          .table = page_table.as<std::int32_t>() +
                   static_cast<std::int64_t>(kind) * table_width,
          .table_stride = static_cast<std::int32_t>(
              static_cast<std::int64_t>(kKinds) * table_width)};
}

}  // namespace penstock::gemma::cuda
