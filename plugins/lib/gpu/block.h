// The block of threads that a kernel's body is written for.
//
// A body is one function template
//
//   template <gpu::BlockOfThreads Block>
//   PENSTOCK_GPU void body(Block& block, const Params& params);
//
// run by every thread of every block. nvcc compiles it for DeviceBlock
// (device_block.h), every other compiler for SimBlock (sim/sim_block.h), which
// runs the threads as fibers and checks what they do. To stay the same source,
// a body reaches memory only through what `block` gives it:
//
//   auto x = block.global(params.x, "x");         // x[i] reads or writes
//   auto s = block.template shared<float>(n, "s");  // the same in all threads
//
// Both act as pointers. Barriers, warp operations, atomics and copies are
// members; a warp is 32 threads, all of which take part.
#pragma once

#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>

#ifdef __CUDACC__
#define PENSTOCK_GPU __device__ __forceinline__
#define PENSTOCK_GPU_HOST __host__ __device__ __forceinline__
#define PENSTOCK_GPU_APART static __device__ __noinline__
#define PENSTOCK_UNROLL _Pragma("unroll")
#define PENSTOCK_ROLLED _Pragma("unroll 1")
#else
#define PENSTOCK_GPU inline
#define PENSTOCK_GPU_HOST inline
#define PENSTOCK_GPU_APART inline
#define PENSTOCK_UNROLL
#define PENSTOCK_ROLLED
#endif

namespace penstock::gpu {

inline constexpr int kWarp = 32;

/// The upper half of an f32.
struct Bf16 {
  std::uint16_t bits;
};

/// A 16-bit float of IEEE 754.
struct Half {
  std::uint16_t bits;
};

PENSTOCK_GPU_HOST float to_float(float x) { return x; }
PENSTOCK_GPU_HOST float to_float(Bf16 x) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(x.bits) << 16);
}

PENSTOCK_GPU_HOST float to_float(Half x) {
#ifdef __CUDA_ARCH__
  float out;
  asm("cvt.f32.f16 %0, %1;" : "=f"(out) : "h"(x.bits));
  return out;
#else
  // The exponent moves by multiplying, which makes subnormals right as well.
  const float size = std::bit_cast<float>((x.bits & 0x7fffU) << 13U) * 0x1p112F;
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(size) |
                              (x.bits & 0x8000U) << 16U);
#endif
}

/// Rounds to the nearest, of two equally near to the even one.
template <class T>
PENSTOCK_GPU_HOST T from_float(float x);
template <>
PENSTOCK_GPU_HOST float from_float<float>(float x) {
  return x;
}
template <>
PENSTOCK_GPU_HOST Bf16 from_float<Bf16>(float x) {
#ifdef __CUDA_ARCH__
  std::uint16_t rounded;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(rounded) : "f"(x));
  return {rounded};
#else
  const auto bits = std::bit_cast<std::uint32_t>(x);
  if ((bits & 0x7fffffffU) > 0x7f800000U) {  // NaN stays one
    return {static_cast<std::uint16_t>((bits >> 16) | 0x40U)};
  }
  return {
      static_cast<std::uint16_t>((bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16)};
#endif
}

PENSTOCK_GPU_HOST int count_bits(std::uint32_t x) {
#ifdef __CUDA_ARCH__
  return __popc(x);
#else
  return std::popcount(x);
#endif
}

/// What one thread loads or stores at once: 16 bytes, of numbers T.
template <class T>
struct alignas(16) Wide {
  static constexpr int kCount = 16 / static_cast<int>(sizeof(T));
  T at[kCount];
};

/// Sets `to` to the numbers of a Wide.
template <class T>
PENSTOCK_GPU_HOST void unpack(const Wide<T>& from, float* to) {
  PENSTOCK_UNROLL
  for (int i = 0; i < Wide<T>::kCount; ++i) to[i] = to_float(from.at[i]);
}

/// What bodies ask of a block; see DeviceBlock for what each member does.
template <class B>
concept BlockOfThreads = requires(B& block, const float* in, float* out,
                                  std::uint32_t* count, float number) {
  { block.thread() } -> std::convertible_to<int>;
  { block.threads() } -> std::convertible_to<int>;
  { block.x() } -> std::convertible_to<int>;
  { block.y() } -> std::convertible_to<int>;
  { block.z() } -> std::convertible_to<int>;
  block.wait_previous();
  block.global(in, "in");
  block.global(out, "out");
  block.template shared<float>(1, "shared");
  block.sync();
  block.sync_warp();
  { block.shuffle_xor(number, 1) } -> std::same_as<float>;
  { block.any(true) } -> std::same_as<bool>;
  { block.ballot(true) } -> std::same_as<std::uint32_t>;
  block.fence();
  block.atomic_wrap(block.global(count, "count"), 1U);
  block.commit_copies();
  block.template wait_copies<0>();
};

}  // namespace penstock::gpu
