#include "lib/kernels/kernels.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>

#include "lib/kernels/levels.h"
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

/// Not a name that every compiler's __builtin_cpu_supports() knows.
bool has_avxvnni() {
  constexpr unsigned kAvxVnni = 1U << 4U;
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  return has_avx2() && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 &&
         (eax & kAvxVnni) != 0;
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
      {"avx512", has_avx512, avx512_kernels},
      {"avxvnni", has_avxvnni, avxvnni_kernels},
      {"avx2", has_avx2, avx2_kernels},
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

std::span<const std::string_view> names() {
  static constexpr auto kNames = [] {
    std::array<std::string_view, kLevels.size()> out;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = kLevels[i].name;
    return out;
  }();
  return kNames;
}

const Kernels* find(std::string_view name) {
  for (const Level& level : kLevels) {
    if (level.name == name && level.can_run()) {
      return &level.table();
    }
  }
  return nullptr;
}

}  // namespace penstock::kernels
