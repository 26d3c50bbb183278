#include "lib/gpu/sim/memory.h"

namespace penstock::gpu {

bool Region::holds(const void* from, std::size_t count) const {
  const auto* first = static_cast<const std::byte*>(from);
  return first >= begin && first <= begin + bytes &&
         count <= static_cast<std::size_t>(begin + bytes - first);
}

Cell* Region::cells_of(const void* from) {
  const auto offset = static_cast<const std::byte*>(from) - begin;
  return cells.data() + static_cast<std::size_t>(offset) / kGranule;
}

void SimMemory::add(void* begin, std::size_t bytes, const std::string& name) {
  auto* first = static_cast<std::byte*>(begin);
  const auto next = regions_.lower_bound(first);
  const bool is_hit = (next != regions_.end() && next->first < first + bytes) ||
                      find(begin) != nullptr;
  if (is_hit) {
    throw std::logic_error("buffer '" + name + "' overlaps a registered one");
  }
  auto region = std::make_unique<Region>();
  region->name = name;
  region->begin = first;
  region->bytes = bytes;
  region->cells.resize((bytes + kGranule - 1) / kGranule);
  regions_.emplace(first, std::move(region));
}

void SimMemory::remove(void* begin) {
  if (regions_.erase(static_cast<std::byte*>(begin)) == 0) {
    throw std::logic_error("no buffer is registered there");
  }
}

void SimMemory::set_written(const void* begin, std::size_t bytes) {
  Region* region = find(begin);
  if (region == nullptr || !region->holds(begin, bytes)) {
    throw SimError("bytes that were written are in no registered buffer");
  }
  Cell* cell = region->cells_of(begin);
  const std::size_t count = (bytes + kGranule - 1) / kGranule;
  for (std::size_t i = 0; i < count; ++i) cell[i] = {.written = 1};
}

Region* SimMemory::find(const void* at) {
  const auto* place = static_cast<const std::byte*>(at);
  auto after = regions_.upper_bound(place);
  if (after == regions_.begin()) return nullptr;
  Region* region = std::prev(after)->second.get();
  return place < region->begin + region->bytes ? region : nullptr;
}

}  // namespace penstock::gpu
