// The CUDA half of the plugin: a library of its own, with the kernels as code
// for cards and the DeviceApi of the CUDA runtime. It is opened when somebody
// asks for a card, so that nobody else needs a CUDA runtime.
#pragma once

#include <filesystem>
#include <memory>

#include "gemma/cuda/kernels.h"
#include "lib/gpu/device_api.h"

namespace penstock::gemma::cuda {

/// What the library's one function gives.
struct CudaLibrary {
  const char* abi = nullptr;  ///< kAbiText of whoever compiled it
  /// Cards that it has code for, such as "80, 90".
  const char* architectures = nullptr;
  int runtime = 0;  ///< the CUDA that it was built with, 13000 is 13.0
  /// gpu::open_cudart() with these kernels.
  std::unique_ptr<gpu::DeviceApi> (*open)(int index) = nullptr;
  const Kernels& (*kernels)(NumberType type, bool has_groups) = nullptr;
};

/// Its name: extern "C" const CudaLibrary* penstock_gemma_cuda().
inline constexpr const char* kCudaEntry = "penstock_gemma_cuda";

/// Where it is built and installed: in the folder above this plugin's. It need
/// not be there.
[[nodiscard]] std::filesystem::path cuda_library_path();

/// Opens it, for good. Throws Error(kUnavailable) that says what is missing and
/// what to do, kData for a file that is not of this build.
[[nodiscard]] const CudaLibrary& open_cuda_library(
    const std::filesystem::path& path);

}  // namespace penstock::gemma::cuda
