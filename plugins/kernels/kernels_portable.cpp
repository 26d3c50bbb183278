#define PENSTOCK_LEVEL portable
#include "lanes_portable.h"
//
#include "levels.h"
#include "table.inl.h"

namespace penstock::kernels {

const Kernels& portable_kernels() {
  static const Kernels table = portable::make_table("portable");
  return table;
}

}  // namespace penstock::kernels
