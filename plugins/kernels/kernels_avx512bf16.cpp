#define PENSTOCK_LEVEL avx512bf16
#include "lanes_avx512.h"
//
#include "levels.h"
#include "table.inl.h"

namespace penstock::kernels {

const Kernels& avx512bf16_kernels() {
  static const Kernels table = avx512bf16::make_table("avx512bf16");
  return table;
}

}  // namespace penstock::kernels
