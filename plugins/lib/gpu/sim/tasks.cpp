// SimBlock: tasks of a block that stays.
#include "lib/gpu/sim/sim_block.h"

namespace penstock::gpu {

void SimBlock::begin_task(int x, int y, int z) { begin_task(x, y, z, {}, 0); }

void SimBlock::begin_task(int x, int y, int z,
                          SimPointer<std::uint32_t> counter,
                          std::uint32_t count) {
  Thread& mine = self();
  if (mine.is_in_task) fail("begins a task within another");
  mine.index = {static_cast<unsigned>(x), static_cast<unsigned>(y),
                static_cast<unsigned>(z)};
  ++mine.task;
  mine.is_in_task = true;
  mine.task_waits = {counter ? &counter.region() : nullptr, counter.raw(),
                     counter.name(), count};
  mine.shared_used = mine.shared_count = 0;
}

void SimBlock::wait_previous(int line) {
  const Thread& mine = self();
  if (!mine.is_in_task) return;
  const auto& waits = mine.task_waits;
  if (waits.at != nullptr && thread() == 0) {
    await({this, waits.region, waits.at, waits.name}, waits.count, line);
  }
  sync(line);
}

void SimBlock::end_task(int line) { end_task({}, line); }

void SimBlock::end_task(SimPointer<std::uint32_t> counter, int line) {
  Thread& mine = self();
  if (!mine.copies.empty()) {
    fail("ends a task with copies that it did not wait for");
  }
  sync(line);
  mine.is_in_task = false;
  if (counter && thread() == 0) release(counter);
}

}  // namespace penstock::gpu
