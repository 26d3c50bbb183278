// A kernel as those see it who launch it: a name, where its code is, and the
// shape of a launch.
//
// The code is one function template over the block that runs it (block.h): nvcc
// compiles it for a GPU, every other compiler for the block simulator (sim/).
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace penstock::gpu {

struct Dim3 {
  unsigned x = 1, y = 1, z = 1;

  [[nodiscard]] constexpr std::uint64_t count() const {
    return std::uint64_t{x} * y * z;
  }
  friend constexpr bool operator==(const Dim3&, const Dim3&) = default;
};

/// The shape of a launch.
struct Geometry {
  Dim3 grid;                  ///< blocks
  Dim3 block;                 ///< threads of a block; x alone is used
  unsigned shared_bytes = 0;  ///< dynamic shared memory of a block

  friend constexpr bool operator==(const Geometry&, const Geometry&) = default;
};

/// Bytes of params that every driver takes, and the CUDA that a driver must run
/// at least to take more: 12.1, of R530.
inline constexpr std::size_t kPlainParams = 4096;
inline constexpr int kLargeParamsCuda = 12010;

class SimBlock;

/// Takes one trivially copyable struct of params by value.
struct Kernel {
  const char* name = nullptr;  ///< for messages and profiles
  /// What cudaLaunchKernel() takes; null where it was not compiled for a GPU.
  const void* device = nullptr;
  /// Runs one thread of a simulated block; null where it was compiled for a
  /// GPU.
  void (*simulate)(SimBlock& block, const void* params) = nullptr;
  std::size_t params_bytes = 0;
  /// Its blocks wait for each other, so all of a launch must be there at once.
  bool waits_for_blocks = false;

  [[nodiscard]] constexpr bool exists() const {
    return device != nullptr || simulate != nullptr;
  }
};

/// Of a kernel's params, since CUDA 12.1.
inline constexpr int kMostParamBytes = 32764;

/// A kernel that takes a `Params`; what launches it checks the type.
template <class Params>
struct KernelOf : Kernel {
  static_assert(std::is_trivially_copyable_v<Params>);
  static_assert(sizeof(Params) <= kMostParamBytes);
};

}  // namespace penstock::gpu
