#define PENSTOCK_LEVEL avx2
#include "lanes_avx2.h"
//
#include "levels.h"
#include "table.inl.h"

namespace penstock::kernels {

const Kernels& avx2_kernels() {
  static const Kernels table = avx2::make_table("avx2");
  return table;
}

}  // namespace penstock::kernels
