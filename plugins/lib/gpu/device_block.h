// The block of threads as nvcc compiles it for a GPU: each member is the
// instruction that its name says, and memory is plain pointers.
#pragma once

#include <cuda_bf16.h>
#include <cstddef>

#include "lib/gpu/block.h"
#include "lib/gpu/groups.h"
#include "lib/gpu/tiles.h"

namespace penstock::gpu {

/// Dynamic shared memory of the block, which shared() hands out; on what
/// matrices of groups.h begin on.
extern __shared__ __align__(kMatrixBytes) unsigned char dynamic_shared[];

class DeviceBlock {
 public:
  template <class T>
  using Shared = T*;
  template <class T>
  using Global = T*;

  DeviceBlock() = default;
  DeviceBlock(const DeviceBlock&) = delete;
  DeviceBlock& operator=(const DeviceBlock&) = delete;

  PENSTOCK_GPU int thread() const { return static_cast<int>(threadIdx.x); }
  PENSTOCK_GPU int threads() const { return static_cast<int>(blockDim.x); }
  PENSTOCK_GPU int lane() const { return thread() % kWarp; }
  PENSTOCK_GPU int warp() const { return thread() / kWarp; }
  PENSTOCK_GPU int warps() const { return threads() / kWarp; }
  PENSTOCK_GPU int x() const { return static_cast<int>(blockIdx.x); }
  PENSTOCK_GPU int y() const { return static_cast<int>(blockIdx.y); }
  PENSTOCK_GPU int z() const { return static_cast<int>(blockIdx.z); }

  template <class T>
  PENSTOCK_GPU T* global(T* pointer, const char* /*name*/) const {
    return pointer;
  }
  /// The next `count` numbers of shared memory, on 16 bytes.
  template <class T>
  PENSTOCK_GPU T* shared(int count, const char* /*name*/) {
    auto* out = reinterpret_cast<T*>(dynamic_shared + used_);
    used_ += (static_cast<unsigned>(count) * sizeof(T) + 15U) / 16U * 16U;
    return out;
  }

  /// The same shared memory as numbers of another type.
  template <class To, class T>
  PENSTOCK_GPU To* reuse(T* from, const char* /*name*/) const {
    return reinterpret_cast<To*>(from);
  }

  /// Waits till the launch before is done, where a launch may begin before
  /// that (cudaLaunchAttributeProgrammaticStreamSerialization); else does
  /// nothing. Before it only constants may be touched.
  PENSTOCK_GPU void wait_previous() const {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
  }
  /// Asks for the 128 bytes around a place of global memory.
  template <class T>
  PENSTOCK_GPU void prefetch(const T* at) const {
    asm volatile("prefetch.global.L2 [%0];" ::"l"(at));
  }

  /// All threads of the block get here; what they wrote, all see.
  PENSTOCK_GPU void sync() const { __syncthreads(); }
  PENSTOCK_GPU void sync_warp() const { __syncwarp(); }
  template <class T>
  PENSTOCK_GPU T shuffle_xor(T value, int mask) const {
    return __shfl_xor_sync(~0U, value, mask);
  }
  template <class T>
  PENSTOCK_GPU T shuffle(T value, int lane) const {
    return __shfl_sync(~0U, value, lane);
  }
  /// Bit l: what lane l says.
  PENSTOCK_GPU std::uint32_t ballot(bool value) const {
    return __ballot_sync(~0U, value);
  }
  PENSTOCK_GPU bool any(bool value) const {
    return __any_sync(~0U, value) != 0;
  }

  /// Makes what this thread, or others before a sync(), wrote visible to other
  /// blocks; and what they fenced visible to this one.
  PENSTOCK_GPU void fence() const { __threadfence(); }
  /// Adds one, or sets 0 where the number is `last`; returns the old number.
  PENSTOCK_GPU std::uint32_t atomic_wrap(std::uint32_t* at,
                                         std::uint32_t last) const {
    return atomicInc(at, last);
  }

  /// Counts what this thread, and others before a sync(), did.
  PENSTOCK_GPU void release(std::uint32_t* counter) const {
    asm volatile("red.release.gpu.global.add.u32 [%0], 1;" ::"l"(counter)
                 : "memory");
  }
  /// Waits till `count` were released; what they did, this thread sees, and
  /// others behind a sync().
  PENSTOCK_GPU void await(std::uint32_t* counter, std::uint32_t count) const {
    std::uint32_t now = 0;
    do {
      asm volatile("ld.acquire.gpu.global.u32 %0, [%1];"
                   : "=r"(now)
                   : "l"(counter)
                   : "memory");
    } while (now < count);
  }
  /// Sets a counter to zero again, behind all who awaited it.
  PENSTOCK_GPU void clear(std::uint32_t* counter) const {
    *static_cast<volatile std::uint32_t*>(counter) = 0;
  }

  /// 16 bytes at `at`, which is on 16 bytes.
  template <class T>
  PENSTOCK_GPU Wide<T> load(const T* at) const {
    return *reinterpret_cast<const Wide<T>*>(at);
  }
  /// The same of global memory that nothing writes meanwhile and that is read
  /// once: it pushes nothing else out of the first cache.
  template <class T>
  PENSTOCK_GPU Wide<T> stream(const T* at) const {
    uint4 out;
    asm("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
        : "=r"(out.x), "=r"(out.y), "=r"(out.z), "=r"(out.w)
        : "l"(at));
    return std::bit_cast<Wide<T>>(out);
  }
  template <class T>
  PENSTOCK_GPU void store(T* at, const Wide<T>& value) const {
    *reinterpret_cast<Wide<T>*>(at) = value;
  }

  /// Starts to copy 16 bytes from global to shared memory.
  template <class T>
  PENSTOCK_GPU void copy_async(T* to, const T* from) const {
    const auto at = static_cast<unsigned>(__cvta_generic_to_shared(to));
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(at),
                 "l"(from)
                 : "memory");
  }
  /// Ends a group of this thread's copies.
  PENSTOCK_GPU void commit_copies() const {
    asm volatile("cp.async.commit_group;" ::: "memory");
  }
  /// Waits till at most `kLeft` groups of this thread are under way.
  template <int kLeft>
  PENSTOCK_GPU void wait_copies() const {
    asm volatile("cp.async.wait_group %0;" ::"n"(kLeft) : "memory");
  }

  /// Four 8 x 8 matrices of bf16: `row` is row lane % 8 of matrix lane / 8, 16
  /// bytes of shared memory. Of matrix m the lane gets into out[m] numbers
  /// 2 (lane % 4) and the next of row lane / 4; transposed: of column lane / 4.
  template <bool kTransposed>
  PENSTOCK_GPU void load_matrices(const Bf16* row,
                                  std::uint32_t (&out)[4]) const {
    const auto at = static_cast<unsigned>(__cvta_generic_to_shared(row));
    if constexpr (kTransposed) {
      asm volatile(
          "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, "
          "[%4];"
          : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
          : "r"(at)
          : "memory");
    } else {
      asm volatile(
          "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
          : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
          : "r"(at)
          : "memory");
    }
  }
  /// sum += a * b^T by tensor cores; see tiles.h for which lane has what.
  PENSTOCK_GPU void mma(TileSum& sum, const TileA& a, const TileB& b) const {
    mma_half(sum.at, a, b.at[0], b.at[1]);
    mma_half(sum.at + 4, a, b.at[2], b.at[3]);
  }

 protected:
  unsigned used_ = 0;  ///< of shared memory

 private:
  PENSTOCK_GPU static void mma_half(float* sum, const TileA& a,
                                    std::uint32_t b0, std::uint32_t b1) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a.at[0]), "r"(a.at[1]), "r"(a.at[2]), "r"(a.at[3]), "r"(b0),
          "r"(b1));
  }
};

/// A block of a kernel whose blocks stay, all there at once, and do one task
/// after another as if each were a block of a launch.
class DeviceTaskBlock : public DeviceBlock {
 public:
  /// The task, for a function apart; of() makes the block there.
  struct Handle {
    std::uint32_t* counter = nullptr;
    std::uint32_t count = 0;
    int x = 0, y = 0, z = 0;
  };
  DeviceTaskBlock() = default;
  PENSTOCK_GPU static DeviceTaskBlock of(const Handle& task) {
    return DeviceTaskBlock(task);
  }
  PENSTOCK_GPU Handle handle() const { return task_; }

  PENSTOCK_GPU int x() const { return task_.x; }
  PENSTOCK_GPU int y() const { return task_.y; }
  PENSTOCK_GPU int z() const { return task_.z; }
  /// The block's own number, of all().
  PENSTOCK_GPU int own() const { return DeviceBlock::x(); }
  PENSTOCK_GPU int all() const { return static_cast<int>(gridDim.x); }

  /// Begins a task, with all of shared memory; wait_previous() is where it
  /// waits till `count` were released at the counter.
  PENSTOCK_GPU void begin_task(int x, int y, int z,
                               std::uint32_t* counter = nullptr,
                               std::uint32_t count = 0) {
    task_ = {counter, count, x, y, z};
    used_ = 0;
  }
  PENSTOCK_GPU void wait_previous() const {
    if (task_.counter != nullptr && thread() == 0) {
      await(task_.counter, task_.count);
    }
    sync();
  }
  /// All threads get here; then the task counts as done.
  PENSTOCK_GPU void end_task(std::uint32_t* counter = nullptr) const {
    sync();
    if (counter != nullptr && thread() == 0) release(counter);
  }

 private:
  PENSTOCK_GPU explicit DeviceTaskBlock(const Handle& task) : task_(task) {}

  Handle task_;
};

}  // namespace penstock::gpu
