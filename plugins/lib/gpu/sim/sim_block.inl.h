// Members of SimBlock that are templates.
#pragma once

#include "lib/gpu/sim/sim_block.h"
#include "lib/gpu/sim/sim_pointer.h"

namespace penstock::gpu {

template <class T>
SimPointer<T> SimBlock::global(T* pointer, const char* name) {
  if (pointer == nullptr) return {};
  Region* region = memory_.find(pointer);
  if (region == nullptr) {
    fail(std::string(name) + " points to memory that is not the device's");
  }
  return {this, region, pointer, name};
}

template <class T>
SimPointer<T> SimBlock::shared(int count, const char* name) {
  Region& region = shared_region(count, sizeof(T), name);
  return {this, &region, reinterpret_cast<T*>(region.begin)};
}

template <class T>
Wide<std::remove_const_t<T>> SimBlock::load(SimPointer<T> at) {
  using Number = std::remove_const_t<T>;
  check_aligned(at.region(), at.raw(), "reads");
  check_read(at.region(), at.raw(), 16);
  Wide<Number> out;
  std::memcpy(&out, at.raw(), 16);
  return out;
}

template <class T>
Wide<T> SimBlock::stream(SimPointer<const T> at) {
  check_streamed(at.region(), at.raw(), 16);
  return load(at);
}

template <class T>
void SimBlock::store(SimPointer<T> at, const Wide<T>& value) {
  check_aligned(at.region(), at.raw(), "writes");
  check_write(at.region(), at.raw(), 16);
  std::memcpy(at.raw(), &value, 16);
}

template <class T>
void SimBlock::copy_async(SimPointer<T> to, SimPointer<const T> from) {
  start_copy(to.region(), to.raw(), from.region(), from.raw());
}

template <bool kTransposed>
void SimBlock::load_matrices(SimPointer<const Bf16> row,
                             std::uint32_t (&out)[4], int line) {
  const Wide<Bf16> mine = load(row);
  send(&mine, sizeof(mine), line);
  const auto number = [&](int matrix, int r, int c) {
    Wide<Bf16> theirs{};
    std::memcpy(&theirs, received(matrix * 8 + r), sizeof(theirs));
    return std::uint32_t{theirs.at[c].bits};
  };
  const int g = lane() / 4;
  const int c = lane() % 4 * 2;
  for (int m = 0; m < 4; ++m) {
    out[m] = kTransposed ? number(m, c, g) | number(m, c + 1, g) << 16
                         : number(m, g, c) | number(m, g, c + 1) << 16;
  }
}

template <bool kTransposed, int kOutputs>
void SimBlock::multiply(GroupSum<kOutputs>& sum, GroupMatrix rows,
                        GroupMatrix outputs, bool adds, int line) {
  ask_group({.kind = GroupCall::Kind::kMultiply,
             .outputs = kOutputs,
             .is_transposed = kTransposed,
             .adds = adds,
             .rows = rows.bits,
             .matrix = outputs.bits,
             .sums = reinterpret_cast<float*>(&sum)},
            line);
}

template <bool kTransposed, int kOutputs>
void SimBlock::multiply(GroupSum<kOutputs>& sum, const TileA& rows,
                        GroupMatrix outputs, bool adds, int line) {
  ask_group({.kind = GroupCall::Kind::kMultiply,
             .outputs = kOutputs,
             .is_transposed = kTransposed,
             .adds = adds,
             .matrix = outputs.bits,
             .sums = reinterpret_cast<float*>(&sum),
             .tile = &rows},
            line);
}

}  // namespace penstock::gpu
