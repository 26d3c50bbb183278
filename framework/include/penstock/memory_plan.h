// MemoryPlan: what a run will take of a machine's memory, stage by stage, found
// before anything is loaded.
//
//   const MemoryPlan plan = plan_memory(file, loads);
//   check_fits(plan, memory_limit());   // throws, with the numbers
//
// It is what stages foresee of themselves (Stage::memory()), and what the
// process holds already: programs, plugins and their libraries.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "penstock/composition_file.h"
#include "penstock/stage.h"

namespace penstock {

struct StageMemory {
  std::string step;    ///< of a composition; else ""
  std::string kind;    ///< "forward"
  std::string name;    ///< "gemma.forward"
  std::string device;  ///< where its memory is: "cpu", "cuda:0"
  Footprint foreseen;
  int sequences = 0;  ///< that foreseen.sequence_bytes is counted for
  std::int64_t tokens = 0;

  /// That stays from open() on.
  [[nodiscard]] std::int64_t held() const {
    return foreseen.bytes + foreseen.mapped_bytes;
  }
  /// That running takes in addition.
  [[nodiscard]] std::int64_t running() const {
    return foreseen.working_bytes + foreseen.sequence_bytes * sequences;
  }
};

struct MemoryPlan {
  /// Of the process: what it holds now, and what it takes of its libraries and
  /// for its threads once it runs.
  std::int64_t process = 0;
  std::vector<StageMemory> stages;  ///< in the order in which they open

  /// The most that a device's memory holds at some time, opening or running.
  [[nodiscard]] PENSTOCK_API std::int64_t peak(
      const std::string& device = "cpu") const;
  /// Every stage's device once, "cpu" first.
  [[nodiscard]] PENSTOCK_API std::vector<std::string> devices() const;
};

/// What may be taken, and what says so: "of this machine".
struct MemoryLimit {
  std::int64_t bytes = 0;
  std::string source;
};

/// Makes every stage and asks it; opens nothing. `loads`: of each step, or
/// empty for as much as it takes. Throws Error as check_pipeline() does.
[[nodiscard]] PENSTOCK_API MemoryPlan
plan_memory(const CompositionFile& file, const std::vector<MemoryLoad>& loads);

/// The memory of the machine, or of the process's cgroup where that is less.
[[nodiscard]] PENSTOCK_API MemoryLimit memory_limit();

/// Throws Error(kData) where the plan's peak on the CPU is beyond the limit:
/// how much is there, how much is needed, by which stages, and what to lower.
PENSTOCK_API void check_fits(const MemoryPlan& plan, const MemoryLimit& limit);

}  // namespace penstock
