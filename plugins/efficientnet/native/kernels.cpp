#include "efficientnet/native/kernels.h"

#include <array>

#include "lib/kernels/isa.h"

namespace penstock::efficientnet::native {
namespace {

/// Best first.
constexpr auto kAll = std::to_array<const Kernels*>({
#if defined(__x86_64__)
  &kAvx512, &kAvx2,
#endif
      &kPortable,
});

}  // namespace

std::vector<const Kernels*> all_kernels() {
  std::vector<const Kernels*> out;
  for (const Kernels* each : kAll) {
    if (penstock::kernels::can_run(each->name)) out.push_back(each);
  }
  return out;
}

const Kernels& kernels() {
  for (const Kernels* each : kAll) {
    if (penstock::kernels::may_use(each->name)) return *each;
  }
  return kPortable;
}

}  // namespace penstock::efficientnet::native
