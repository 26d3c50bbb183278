// How much memory there is, for this process and of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace penstock {

struct FreeMemory {
  std::int64_t bytes = 0;
  std::string limit;  ///< what sets it: "of this machine", "of its cgroup"
};

/// The least of what the machine has available, swap included, and what the
/// limits of the process's cgroups leave. Where nothing is known, no limit.
[[nodiscard]] FreeMemory free_memory(
    const std::filesystem::path& proc = "/proc",
    const std::filesystem::path& cgroups = "/sys/fs/cgroup");

/// The same of what there is, used or not.
[[nodiscard]] FreeMemory all_memory(
    const std::filesystem::path& proc = "/proc",
    const std::filesystem::path& cgroups = "/sys/fs/cgroup");

/// What this process holds now, files that it reads from memory included.
[[nodiscard]] std::int64_t resident_memory(
    const std::filesystem::path& proc = "/proc");

}  // namespace penstock
