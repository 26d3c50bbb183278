#include "lib/kernels/kernels.h"

#include <array>
#include <string_view>

#include "lib/kernels/isa.h"
#include "lib/kernels/levels.h"

namespace penstock::kernels {
namespace {

struct Level {
  std::string_view name;
  const Kernels& (*table)();
};

/// Best first, as instruction_sets().
constexpr auto kLevels = std::to_array<Level>({
#if defined(__x86_64__)
  {"avx512bf16", avx512bf16_kernels}, {"avx512", avx512_kernels},
      {"avxvnni", avxvnni_kernels}, {"avx2", avx2_kernels},
#endif
      {"portable", portable_kernels},
});

const Kernels& choose() {
  for (const Level& level : kLevels) {
    if (may_use(level.name)) return level.table();
  }
  return portable_kernels();
}

}  // namespace

const Kernels& best() {
  static const Kernels& chosen = choose();
  return chosen;
}

std::span<const std::string_view> names() { return instruction_sets(); }

const Kernels* find(std::string_view name) {
  for (const Level& level : kLevels) {
    if (level.name == name && can_run(name)) return &level.table();
  }
  return nullptr;
}

}  // namespace penstock::kernels
