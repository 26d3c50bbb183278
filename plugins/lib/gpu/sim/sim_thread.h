// What SimBlock knows of each of its threads.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "lib/gpu/kernel.h"
#include "lib/gpu/sim/groups.h"
#include "lib/gpu/sim/launch.h"
#include "lib/gpu/sim/memory.h"

namespace penstock::gpu {

/// Stands for threads in a Cell: several of a warp (| its number), or of
/// several warps. Threads themselves are 0 to 1023.
inline constexpr int kWarpThread = 0x400;
inline constexpr int kManyThreads = 0x7fff;

/// What a thread waits for before it goes on.
enum class SimWait : std::uint8_t {
  kNone,
  kBlock,
  kWarpSync,
  kExchange,
  kWarpgroup,
  kCounter,
  kEnd
};

/// 16 bytes that copy_async() copies: there when they are waited for.
struct SimCopy {
  Region *to_region, *from_region;
  std::byte* to;
  const std::byte* from;
  int group;
};

/// A counter that a thread awaits.
struct SimAwaited {
  const std::uint32_t* at = nullptr;
  const char* name = "";
  std::uint32_t count = 0;

  [[nodiscard]] bool is_there() const { return *at >= count; }
};

struct SimThread {
  SimWait wait = SimWait::kNone;
  int line = 0;
  unsigned exchanges = 0;
  int groups = 0;  ///< of copies that were committed
  std::size_t shared_used = 0, shared_count = 0;
  std::vector<SimCopy> copies;
  Dim3 index;    ///< of the block, or of its task
  int task = 0;  ///< which of the block's, from 1; 0: no tasks
  bool is_in_task = false;
  struct {  ///< what its task waits for
    Region* region = nullptr;
    std::uint32_t* at = nullptr;
    const char* name = "";
    std::uint32_t count = 0;
  } task_waits;
  SimAwaited awaits;
  Seen fenced;  ///< what it may release
  Seen ticket;  ///< what it may see behind a fence
  bool has_ticket = false;
  std::uint16_t async_fences = 0;
  GroupCall group_call;
  HeldNumbers held;
  alignas(16) std::array<std::array<std::byte, 32>, 2> sent{};
};

/// What a thread has seen of other blocks, and others not before a barrier.
struct SimAcquired {
  int thread;
  std::uint16_t turn;  ///< of its warp
  Seen seen;
};

}  // namespace penstock::gpu
