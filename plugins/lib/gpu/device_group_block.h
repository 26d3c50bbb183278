// The block of threads with warpgroups' products, for compute capability 9.0
// alone: what includes it is compiled for sm_90a.
#pragma once

#include "lib/gpu/device_block.h"
#include "lib/gpu/groups.h"

namespace penstock::gpu {

// Operands of an instruction: ten registers by their first digits, and eight
// sums.
#define PENSTOCK_TEN(d)                                                        \
  "%" #d "0, %" #d "1, %" #d "2, %" #d "3, %" #d "4, %" #d "5, %" #d "6, %" #d \
  "7, %" #d "8, %" #d "9, "
#define PENSTOCK_SUMS(j)                                                   \
  "+f"(sum.at[j].at[0]), "+f"(sum.at[j].at[1]), "+f"(sum.at[j].at[2]),     \
      "+f"(sum.at[j].at[3]), "+f"(sum.at[j].at[4]), "+f"(sum.at[j].at[5]), \
      "+f"(sum.at[j].at[6]), "+f"(sum.at[j].at[7])
#define PENSTOCK_SUMS_4(j)                                      \
  PENSTOCK_SUMS(j), PENSTOCK_SUMS(j + 1), PENSTOCK_SUMS(j + 2), \
      PENSTOCK_SUMS(j + 3)
// Registers of the sums of 64, 128, 160 and 256 outputs.
// clang-format off
#define PENSTOCK_REGISTERS_64 \
  PENSTOCK_TEN() PENSTOCK_TEN(1) PENSTOCK_TEN(2) "%30, %31"
#define PENSTOCK_REGISTERS_128 \
  PENSTOCK_TEN() PENSTOCK_TEN(1) PENSTOCK_TEN(2) PENSTOCK_TEN(3) \
  PENSTOCK_TEN(4) PENSTOCK_TEN(5) "%60, %61, %62, %63"
#define PENSTOCK_REGISTERS_160 \
  PENSTOCK_TEN() PENSTOCK_TEN(1) PENSTOCK_TEN(2) PENSTOCK_TEN(3) \
  PENSTOCK_TEN(4) PENSTOCK_TEN(5) PENSTOCK_TEN(6) \
  "%70, %71, %72, %73, %74, %75, %76, %77, %78, %79"
#define PENSTOCK_REGISTERS_256 \
  PENSTOCK_TEN() PENSTOCK_TEN(1) PENSTOCK_TEN(2) PENSTOCK_TEN(3) \
  PENSTOCK_TEN(4) PENSTOCK_TEN(5) PENSTOCK_TEN(6) PENSTOCK_TEN(7) \
  PENSTOCK_TEN(8) PENSTOCK_TEN(9) PENSTOCK_TEN(10) PENSTOCK_TEN(11) \
  "%120, %121, %122, %123, %124, %125, %126, %127"
// clang-format on
// One instruction: its outputs, the numbers of its operands behind the sums,
// the sums. `adds` says whether they are added to.
#define PENSTOCK_PRODUCT(n, rows, matrix, is_added, transposes, ...) \
  "{\n.reg .pred adds;\nsetp.ne.b32 adds, " is_added                 \
  ", 0;\n"                                                           \
  "wgmma.mma_async.sync.aligned.m64n" #n                             \
  "k16.f32.bf16.bf16 {" PENSTOCK_REGISTERS_##n                       \
      "}, " rows ", " matrix ", adds, 1, 1, " transposes ";\n}\n"    \
      : __VA_ARGS__

class DeviceGroupBlock : public DeviceBlock {
 public:
  /// The next `count` numbers of shared memory, on 16 bytes; on kMatrixBytes
  /// where all before are of whole ones.
  using DeviceBlock::shared;
  [[nodiscard]] PENSTOCK_GPU std::uint32_t shared_address(
      const void* at) const {
    return static_cast<std::uint32_t>(__cvta_generic_to_shared(at));
  }

  /// Makes what this thread wrote to shared memory, copies that it waited for
  /// too, visible to products that are asked for behind a sync().
  PENSTOCK_GPU void fence_async() const {
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  }
  /// Keeps the compiler, which knows nothing of products under way, from moving
  /// what is done with sums or rows in registers: stands before order_sums()
  /// where threads did something with them since the last products, and behind
  /// the wait_products() after which they will.
  template <int kOutputs>
  PENSTOCK_GPU void hold(GroupSum<kOutputs>& sum) const {
    PENSTOCK_UNROLL
    for (TileSum& tile : sum.at) {
      PENSTOCK_UNROLL
      for (float& number : tile.at) asm volatile("" : "+f"(number)::"memory");
    }
  }
  PENSTOCK_GPU void hold(TileA& rows) const {
    PENSTOCK_UNROLL
    for (std::uint32_t& two : rows.at) asm volatile("" : "+r"(two)::"memory");
  }
  /// Stands between what threads do with sums, or rows in registers, and the
  /// products that use them; before the first product too.
  PENSTOCK_GPU void order_sums() const {
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
  }
  /// Ends a group of products.
  PENSTOCK_GPU void commit_products() const {
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
  }
  /// Waits till at most `kLeft` groups are under way. Till then nobody may
  /// touch their sums or rows, or write what they read.
  template <int kLeft>
  PENSTOCK_GPU void wait_products() const {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kLeft) : "memory");
  }

  /// sum = rows * outputs^T (+ sum, if `adds`), of 16 columns. `kTransposed`:
  /// the memory has outputs in its columns.
  template <bool kTransposed>
  PENSTOCK_GPU void multiply(GroupSum<64>& sum, GroupMatrix rows,
                             GroupMatrix outputs, bool adds) const {
    asm volatile(
        PENSTOCK_PRODUCT(64, "%32", "%33", "%34", "0, %35", PENSTOCK_SUMS_4(0))
        : "l"(rows.bits), "l"(outputs.bits), "r"(int{adds}),
          "n"(int{kTransposed}));
  }
  template <bool kTransposed>
  PENSTOCK_GPU void multiply(GroupSum<128>& sum, GroupMatrix rows,
                             GroupMatrix outputs, bool adds) const {
    asm volatile(PENSTOCK_PRODUCT(128, "%64", "%65", "%66", "0, %67",
                                  PENSTOCK_SUMS_4(0), PENSTOCK_SUMS_4(4))
                 : "l"(rows.bits), "l"(outputs.bits), "r"(int{adds}),
                   "n"(int{kTransposed}));
  }
  template <bool kTransposed>
  PENSTOCK_GPU void multiply(GroupSum<160>& sum, GroupMatrix rows,
                             GroupMatrix outputs, bool adds) const {
    asm volatile(
        PENSTOCK_PRODUCT(160, "%80", "%81", "%82", "0, %83", PENSTOCK_SUMS_4(0),
                         PENSTOCK_SUMS_4(4), PENSTOCK_SUMS(8), PENSTOCK_SUMS(9))
        : "l"(rows.bits), "l"(outputs.bits), "r"(int{adds}),
          "n"(int{kTransposed}));
  }
  template <bool kTransposed>
  PENSTOCK_GPU void multiply(GroupSum<256>& sum, GroupMatrix rows,
                             GroupMatrix outputs, bool adds) const {
    asm volatile(PENSTOCK_PRODUCT(256, "%128", "%129", "%130", "0, %131",
                                  PENSTOCK_SUMS_4(0), PENSTOCK_SUMS_4(4),
                                  PENSTOCK_SUMS_4(8), PENSTOCK_SUMS_4(12))
                 : "l"(rows.bits), "l"(outputs.bits), "r"(int{adds}),
                   "n"(int{kTransposed}));
  }

  /// The same of rows in registers, which stay there till it was waited for.
  template <bool kTransposed>
  PENSTOCK_GPU void multiply(GroupSum<64>& sum, const TileA& rows,
                             GroupMatrix outputs, bool adds) const {
    asm volatile(PENSTOCK_PRODUCT(64, "{%32, %33, %34, %35}", "%36", "%37",
                                  "%38", PENSTOCK_SUMS_4(0))
                 : "r"(rows.at[0]), "r"(rows.at[1]), "r"(rows.at[2]),
                   "r"(rows.at[3]), "l"(outputs.bits), "r"(int{adds}),
                   "n"(int{kTransposed}));
  }
  template <bool kTransposed>
  PENSTOCK_GPU void multiply(GroupSum<128>& sum, const TileA& rows,
                             GroupMatrix outputs, bool adds) const {
    asm volatile(PENSTOCK_PRODUCT(128, "{%64, %65, %66, %67}", "%68", "%69",
                                  "%70", PENSTOCK_SUMS_4(0), PENSTOCK_SUMS_4(4))
                 : "r"(rows.at[0]), "r"(rows.at[1]), "r"(rows.at[2]),
                   "r"(rows.at[3]), "l"(outputs.bits), "r"(int{adds}),
                   "n"(int{kTransposed}));
  }
  template <bool kTransposed>
  PENSTOCK_GPU void multiply(GroupSum<256>& sum, const TileA& rows,
                             GroupMatrix outputs, bool adds) const {
    asm volatile(
        PENSTOCK_PRODUCT(256, "{%128, %129, %130, %131}", "%132", "%133",
                         "%134", PENSTOCK_SUMS_4(0), PENSTOCK_SUMS_4(4),
                         PENSTOCK_SUMS_4(8), PENSTOCK_SUMS_4(12))
        : "r"(rows.at[0]), "r"(rows.at[1]), "r"(rows.at[2]), "r"(rows.at[3]),
          "l"(outputs.bits), "r"(int{adds}), "n"(int{kTransposed}));
  }
};

#undef PENSTOCK_PRODUCT
#undef PENSTOCK_REGISTERS_256
#undef PENSTOCK_REGISTERS_160
#undef PENSTOCK_REGISTERS_128
#undef PENSTOCK_REGISTERS_64
#undef PENSTOCK_SUMS_4
#undef PENSTOCK_SUMS
#undef PENSTOCK_TEN

}  // namespace penstock::gpu
