#include "efficientnet/native/kernels.h"

#include <cstdlib>
#include <string>

namespace penstock::efficientnet::native {

std::vector<const Kernels*> all_kernels() {
  std::vector<const Kernels*> out{&kPortable};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    out.push_back(&kAvx2);
    if (__builtin_cpu_supports("avx512f")) out.push_back(&kAvx512);
  }
#endif
  return out;
}

const Kernels& kernels() {
  const char* set =
      std::getenv("PENSTOCK_ISA");  // NOLINT(concurrency-mt-unsafe)
  const std::string wanted = set == nullptr ? "" : set;
  const auto all = all_kernels();
  for (const Kernels* each : all) {
    if (wanted == each->name) return *each;
  }
  return *all.back();
}

}  // namespace penstock::efficientnet::native
