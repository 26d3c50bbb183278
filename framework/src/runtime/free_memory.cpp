#include "runtime/free_memory.h"

#include <fstream>
#include <limits>
#include <optional>

namespace penstock {
namespace {

namespace fs = std::filesystem;

/// Of a file of lines "key: 12 kB" or "key 12".
std::int64_t value_of(const fs::path& path, const std::string& key) {
  std::ifstream in(path);
  for (std::string word; in >> word;) {
    std::int64_t value = 0;
    if (word == key && in >> value) return value;
    in.clear();
    in.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return 0;
}

/// Nothing: there is no such file, or it says "max".
std::optional<std::int64_t> number_in(const fs::path& path) {
  std::ifstream in(path);
  std::int64_t value = 0;
  if (in >> value) return value;
  return {};
}

struct Names {
  const char *most, *used, *cache;
};
constexpr Names kVersion2{"memory.max", "memory.current", "file"};
constexpr Names kVersion1{"memory.limit_in_bytes", "memory.usage_in_bytes",
                          "total_cache"};

/// What a cgroup allows, or what of that is left; nothing: it has no limit.
using Look = std::optional<std::int64_t>(const fs::path& group,
                                         const Names& names);

std::optional<std::int64_t> allowed_by(const fs::path& group,
                                       const Names& names) {
  return number_in(group / names.most);
}

/// Its cache of files can be given up.
std::optional<std::int64_t> left_by(const fs::path& group, const Names& names) {
  const auto most = number_in(group / names.most);
  const auto used = number_in(group / names.used);
  if (!most || !used) return {};
  return *most - *used + value_of(group / "memory.stat", names.cache);
}

void lower_to(const std::optional<std::int64_t>& bytes, FreeMemory& free) {
  if (bytes && *bytes < free.bytes) free = {*bytes, "of its cgroup"};
}

/// The process's groups, "hierarchy:controllers:/path" a line, and all above.
void apply_groups(const fs::path& list, const fs::path& root, Look* look,
                  FreeMemory& free) {
  std::ifstream in(list);
  for (std::string line; std::getline(in, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string kind = line.substr(first + 1, second - first - 1);
    const bool is_version_2 = kind.empty();
    if (!is_version_2 && kind != "memory") continue;
    const fs::path top = is_version_2 ? root : root / "memory";
    const Names& names = is_version_2 ? kVersion2 : kVersion1;
    // In a container the path may be of the host's; its own is at the top.
    for (fs::path path = line.substr(second + 2); !path.empty();
         path = path.parent_path()) {
      lower_to(look(top / path, names), free);
    }
    lower_to(look(top, names), free);
  }
}

}  // namespace

FreeMemory free_memory(const fs::path& proc, const fs::path& cgroups) {
  FreeMemory free{std::numeric_limits<std::int64_t>::max(), ""};
  const std::int64_t available = value_of(proc / "meminfo", "MemAvailable:");
  if (available > 0) {
    const std::int64_t swap = value_of(proc / "meminfo", "SwapFree:");
    free = {(available + swap) * 1024, "of this machine"};
  }
  apply_groups(proc / "self" / "cgroup", cgroups, left_by, free);
  return free;
}

FreeMemory all_memory(const fs::path& proc, const fs::path& cgroups) {
  FreeMemory all{std::numeric_limits<std::int64_t>::max(), ""};
  const std::int64_t total = value_of(proc / "meminfo", "MemTotal:");
  if (total > 0) {
    const std::int64_t swap = value_of(proc / "meminfo", "SwapTotal:");
    all = {(total + swap) * 1024, "of this machine"};
  }
  apply_groups(proc / "self" / "cgroup", cgroups, allowed_by, all);
  return all;
}

std::int64_t resident_memory(const fs::path& proc) {
  return value_of(proc / "self" / "status", "VmRSS:") * 1024;
}

}  // namespace penstock
