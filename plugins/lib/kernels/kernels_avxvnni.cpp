#define PENSTOCK_LEVEL avxvnni
#include "lib/kernels/lanes_avx2.h"
//
#include "lib/kernels/levels.h"
#include "lib/kernels/table.inl.h"

namespace penstock::kernels {

const Kernels& avxvnni_kernels() {
  static const Kernels table = avxvnni::make_table("avxvnni");
  return table;
}

}  // namespace penstock::kernels
