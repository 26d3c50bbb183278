#define PENSTOCK_LEVEL portable
#include "lib/kernels/lanes_portable.h"
//
#include "lib/kernels/levels.h"
#include "lib/kernels/table.inl.h"

namespace penstock::kernels {

const Kernels& portable_kernels() {
  static const Kernels table = portable::make_table("portable");
  return table;
}

}  // namespace penstock::kernels
