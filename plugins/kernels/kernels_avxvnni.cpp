#define PENSTOCK_LEVEL avxvnni
#include "lanes_avx2.h"
//
#include "levels.h"
#include "table.inl.h"

namespace penstock::kernels {

const Kernels& avxvnni_kernels() {
  static const Kernels table = avxvnni::make_table("avxvnni");
  return table;
}

}  // namespace penstock::kernels
