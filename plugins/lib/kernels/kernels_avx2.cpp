#define PENSTOCK_LEVEL avx2
#include "lib/kernels/lanes_avx2.h"
//
#include "lib/kernels/levels.h"
#include "lib/kernels/table.inl.h"

namespace penstock::kernels {

const Kernels& avx2_kernels() {
  static const Kernels table = avx2::make_table("avx2");
  return table;
}

}  // namespace penstock::kernels
