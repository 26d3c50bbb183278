#include "gemma/cuda/step_tables.h"

#include <algorithm>

#include "gemma/cuda/buffers.h"

namespace penstock::gemma::cuda {

StepTables::StepTables(const gpu::Pinned& host, const gpu::Memory& device,
                       const TableCounts& counts)
    : host_(host.as()), device_(device.as()) {
  // Those with the widest numbers first, so that all are aligned.
  draws = take<DrawRow>(counts.is_drawn ? counts.rows : 0);
  edits = take<DrawEdit>(counts.is_drawn ? counts.rows * counts.ids : 0);
  tokens = take<std::int32_t>(counts.rows);
  positions = take<std::int32_t>(counts.rows);
  slots = take<std::int32_t>(counts.rows);
  scored = take<std::int32_t>(counts.scores);
  mask_rows = take<std::int32_t>(counts.scores);
  wanted_ids = take<std::int32_t>(counts.scores * counts.ids);
  tiles = take<std::int32_t>(counts.tiles * 2);
}

std::int64_t StepTables::bytes(std::int64_t rows, std::int64_t drawn) {
  const auto draw = static_cast<std::int64_t>(sizeof(DrawRow) +
                                              kMostWanted * sizeof(DrawEdit));
  return rows * (7 + kMostWanted) *
             static_cast<std::int64_t>(sizeof(std::int32_t)) +
         drawn * draw;
}

template <class T>
TableOf<T> StepTables::take(std::int64_t count) {
  const auto size = static_cast<std::size_t>(count);
  const TableOf<T> table{.host = {reinterpret_cast<T*>(host_ + used_), size},
                         .device = reinterpret_cast<T*>(device_ + used_)};
  used_ += size * sizeof(T);
  return table;
}

void StepTables::clear() const {
  std::fill(draws.host.begin(), draws.host.end(), DrawRow());
  std::fill(tokens.host.begin(), tokens.host.end(), 0);
  std::fill(positions.host.begin(), positions.host.end(), -1);
  std::fill(slots.host.begin(), slots.host.end(), 0);
  std::fill(scored.host.begin(), scored.host.end(), -1);
  std::fill(mask_rows.host.begin(), mask_rows.host.end(), -1);
  std::fill(wanted_ids.host.begin(), wanted_ids.host.end(), -1);
}

void StepTables::send(gpu::DeviceApi& api) const {
  api.copy_in(device_, host_, used_);
}

}  // namespace penstock::gemma::cuda
