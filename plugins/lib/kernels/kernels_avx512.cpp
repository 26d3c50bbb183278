#define PENSTOCK_LEVEL avx512
#include "lib/kernels/lanes_avx512.h"
//
#include "lib/kernels/levels.h"
#include "lib/kernels/table.inl.h"

namespace penstock::kernels {

const Kernels& avx512_kernels() {
  static const Kernels table = avx512::make_table("avx512");
  return table;
}

}  // namespace penstock::kernels
