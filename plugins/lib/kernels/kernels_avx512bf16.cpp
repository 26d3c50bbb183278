#define PENSTOCK_LEVEL avx512bf16
#include "lib/kernels/lanes_avx512.h"
//
#include "lib/kernels/levels.h"
#include "lib/kernels/table.inl.h"

namespace penstock::kernels {

const Kernels& avx512bf16_kernels() {
  static const Kernels table = avx512bf16::make_table("avx512bf16");
  return table;
}

}  // namespace penstock::kernels
