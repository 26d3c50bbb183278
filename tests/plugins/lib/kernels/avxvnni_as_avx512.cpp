#if defined(__x86_64__)
#define PENSTOCK_LEVEL avxvnni_as_avx512
#include "lib/kernels/lanes_avx2.h"
//
#include "lib/kernels/table.inl.h"
#endif

#include "lib/kernels/kernels.h"

namespace penstock::kernels {

const Kernels* vnni_as_avx512();

const Kernels* vnni_as_avx512() {
#if defined(__x86_64__)
  // Before the table is made, which takes such instructions itself.
  if (find("avx512") == nullptr) return nullptr;
  static const Kernels table = PENSTOCK_LEVEL::make_table("avxvnni as avx512");
  return &table;
#else
  return nullptr;
#endif
}

}  // namespace penstock::kernels
