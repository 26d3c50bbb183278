// The device memory and pinned memory that steps are computed in: all of it is
// taken when the engine opens, none while it runs.
#pragma once

#include <array>
#include <string_view>

#include "gemma/config.h"
#include "gemma/cuda/kernels.h"
#include "gemma/cuda/pages.h"
#include "lib/gpu/device_api.h"

namespace penstock::gemma::cuda {

/// Single tokens of a row whose scores the head gives; with more wanted, all
/// scores are fetched.
inline constexpr std::int32_t kMostWanted = 64;
/// Rows of scores of the whole vocabulary that are fetched at once.
inline constexpr std::int32_t kFetchedRows = 16;

/// Sizes as kernels take them.
[[nodiscard]] constexpr std::int32_t i32(std::int64_t number) {
  return static_cast<std::int32_t>(number);
}

/// How much a step may be.
struct StepLimits {
  NumberType type = NumberType::kF32;
  int slots = 0;
  std::int32_t rows = 0;       ///< tokens that go through the layers at once
  std::int32_t head_rows = 0;  ///< that are scored at once
  int processors = 0;          ///< of the device
  /// Of the one kernel of a step of few rows, all there at once; 0: no such.
  int step_blocks = 0;
};

/// Blocks that share a row's keys in attention, where the longest of `rows`
/// sees so many; a power of two, so that few graphs serve all lengths.
[[nodiscard]] std::int32_t splits_for(const Config& config,
                                      const StepLimits& limits,
                                      std::int32_t rows, std::int64_t keys);

/// Blocks that share the vocabulary.
[[nodiscard]] std::int32_t blocks_for(const Config& config,
                                      const StepLimits& limits);

/// Tasks that share it in the one kernel of a step.
[[nodiscard]] std::int32_t step_tasks_for(const Config& config,
                                          const StepLimits& limits);

/// Device memory that buffers and pages need.
struct MemoryNeed {
  std::int64_t weights = 0, buffers = 0;
  /// Of a page of each kind, in all layers of the kind.
  std::array<std::int64_t, kKinds> page{};
  PageCounts sequence{};  ///< pages of a sequence as long as the context

  [[nodiscard]] std::int64_t sequence_bytes() const {
    return sequence[kFull] * page[kFull] + sequence[kSliding] * page[kSliding];
  }
};

/// `chunk`: most tokens that a sequence gives a step; `weights`: bytes of them.
[[nodiscard]] MemoryNeed memory_need(const Config& config,
                                     const StepLimits& limits,
                                     std::int64_t chunk, std::int64_t weights);

/// Pages of the slots, as many as `free` bytes hold beside the rest of `need`
/// and as are of use. Throws Error(kUnavailable) with the numbers, naming
/// `device`, where not even one sequence fits.
[[nodiscard]] PageCounts pages_that_fit(const MemoryNeed& need, int slots,
                                        const gpu::DeviceMemory& memory,
                                        std::string_view device);

struct Buffers {
  Buffers(gpu::DeviceApi& api, const Config& config, const StepLimits& limits,
          const PageCounts& page_counts);

  /// Where the `layer`-th of a kind has its keys and values.
  [[nodiscard]] Cache cache(std::size_t kind, std::int64_t layer) const;

  std::int64_t layer_page = 0;   ///< bytes of a page in one layer
  std::int64_t table_width = 0;  ///< pages of a context
  /// Of StepTables. Two, since the next step's may be on their way while those
  /// of this one are read.
  std::array<gpu::Pinned, 2> tables_host;
  gpu::Memory tables;
  gpu::Pinned page_table_host;  ///< of PageTables
  gpu::Memory page_table;
  std::array<gpu::Memory, kKinds> pages;
  std::array<gpu::Memory, 2> x;          ///< residuals, f32 [rows, hidden]
  gpu::Memory y;                         ///< f32 [rows, hidden]
  gpu::Memory normed;                    ///< Act [rows, hidden]
  gpu::Memory raw;                       ///< f32 [rows, all heads, head_dim]
  gpu::Memory q;                         ///< f32 [rows, heads, head_dim]
  gpu::Memory attended;                  ///< Act [rows, heads head_dim]
  gpu::Memory gated;                     ///< Act [rows, ffn]
  std::array<gpu::Memory, kKinds> rope;  ///< f32 [rows, head_dim]
  gpu::Memory partial;                   ///< of attention with splits
  gpu::Memory qkv_tickets, attention_tickets;  ///< zero between launches
  gpu::Memory step_counters;                   ///< likewise, where wanted
  gpu::Memory scores;                          ///< f32 [head_rows, vocab]
  gpu::Pinned fetched;                         ///< f32 [kFetchedRows, vocab]
  gpu::Memory best, sums;                      ///< of the head's blocks
  gpu::Pinned masks_host;  ///< bits [head_rows, words of the vocabulary]
  gpu::Memory masks;
  /// As AnswerLayout says. Two: a step draws its tokens from the answers of the
  /// one before, which the host may still read.
  std::array<gpu::Memory, 2> answers;
  std::array<gpu::Pinned, 2> answers_host;
};

/// Words of 32 bits of a mask.
[[nodiscard]] std::int64_t mask_words(const Config& config);

}  // namespace penstock::gemma::cuda
