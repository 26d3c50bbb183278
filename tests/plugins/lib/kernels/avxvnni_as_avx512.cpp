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
  static const Kernels table = PENSTOCK_LEVEL::make_table("avxvnni as avx512");
  return find("avx512") == nullptr ? nullptr : &table;
#else
  return nullptr;
#endif
}

}  // namespace penstock::kernels
