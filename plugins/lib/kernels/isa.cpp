#include "lib/kernels/isa.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>

#include "penstock/error.h"

namespace penstock::kernels {
namespace {

struct InstructionSet {
  std::string_view name;
  bool (*can_run)();
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
constexpr auto kSets = std::to_array<InstructionSet>({
#if defined(__x86_64__)
  {"avx512bf16", has_avx512bf16}, {"avx512", has_avx512},
      {"avxvnni", has_avxvnni}, {"avx2", has_avx2},
#endif
      {"portable", always},
});

const InstructionSet* find_set(std::string_view name) {
  const auto* found =
      std::find_if(kSets.begin(), kSets.end(),
                   [name](const auto& each) { return each.name == name; });
  return found == kSets.end() ? nullptr : found;
}

/// The best that may be used.
const InstructionSet* choose() {
  const char* set = std::getenv("PENSTOCK_ISA");
  const std::string_view wanted = set == nullptr ? "" : set;
  std::string known;
  for (const InstructionSet& each : kSets) {
    if (!each.can_run()) continue;
    if (wanted.empty() || each.name == wanted) return &each;
    known += str(known.empty() ? "" : ", ", each.name);
  }
  throw Error(Code::kUsage, str("PENSTOCK_ISA is '", wanted,
                                "'; this processor has ", known));
}

}  // namespace

std::span<const std::string_view> instruction_sets() {
  static constexpr auto kNames = [] {
    std::array<std::string_view, kSets.size()> out;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = kSets[i].name;
    return out;
  }();
  return kNames;
}

bool can_run(std::string_view name) {
  const InstructionSet* set = find_set(name);
  return set != nullptr && set->can_run();
}

bool may_use(std::string_view name) {
  static const InstructionSet* const kBest = choose();
  const InstructionSet* set = find_set(name);
  return set != nullptr && set >= kBest && set->can_run();
}

}  // namespace penstock::kernels
