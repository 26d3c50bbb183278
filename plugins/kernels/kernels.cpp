#include "kernels.h"

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>

#include "levels.h"
#include "penstock/error.h"

namespace penstock::kernels {
namespace {

struct Level {
  const char* name;
  bool (*can_run)();
  const Kernels& (*table)();
};

#if defined(__x86_64__)
// An int to GCC, a bool to clang.
// NOLINTBEGIN(readability-implicit-bool-conversion)
bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

bool has_avx512() {
  return __builtin_cpu_supports("avx512f") &&
         __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512vnni");
}

bool has_avx512bf16() {
  return has_avx512() && __builtin_cpu_supports("avx512bf16");
}
// NOLINTEND(readability-implicit-bool-conversion)
#endif

bool always() { return true; }

/// Best first.
constexpr auto kLevels = std::to_array<Level>({
#if defined(__x86_64__)
  {"avx512bf16", has_avx512bf16, avx512bf16_kernels},
      {"avx512", has_avx512, avx512_kernels}, {"avx2", has_avx2, avx2_kernels},
#endif
      {"portable", always, portable_kernels},
});

const Kernels& choose() {
  const char* wanted = std::getenv("PENSTOCK_ISA");
  std::string known;
  for (const Level& level : kLevels) {
    const bool is_named = wanted == nullptr || *wanted == '\0' ||
                          level.name == std::string_view(wanted);
    if (is_named && level.can_run()) return level.table();
    if (level.can_run()) known += str(known.empty() ? "" : ", ", level.name);
  }
  throw Error(Code::kUsage, str("PENSTOCK_ISA is '", wanted,
                                "'; this processor has ", known));
}

}  // namespace

const Kernels& best() {
  static const Kernels& chosen = choose();
  return chosen;
}

const Kernels* find(const char* name) {
  for (const Level& level : kLevels) {
    if (level.name == std::string_view(name) && level.can_run()) {
      return &level.table();
    }
  }
  return nullptr;
}

}  // namespace penstock::kernels
