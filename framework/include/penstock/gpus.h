// Gpus: which GPUs NVIDIA's driver knows of, asked without CUDA's runtime and
// without a context on them; and what keeps them from being used.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "penstock/export.h"

namespace penstock {

struct Gpu {
  std::string name, uuid;    ///< "NVIDIA H200", "GPU-1234...", as nvidia-smi -L
  int major = 0, minor = 0;  ///< its compute capability
  std::int64_t bytes = 0;
  std::int64_t free_bytes = -1;  ///< -1: nobody can say
};

struct Gpus {
  std::vector<Gpu> all;  ///< in CUDA's order: the first is cuda:0
  std::string driver;    ///< its version, "580.65.06"; "": not known
  int cuda = 0;          ///< newest that the driver runs: 13000 is 13.0
  /// Why there are none: no driver, no device, a driver that does not start.
  std::string why_none;
};

/// Of this process: CUDA_VISIBLE_DEVICES counts. Takes a tenth of a second
/// where there is a driver. Any thread. Throws nothing but std::bad_alloc.
[[nodiscard]] PENSTOCK_API Gpus find_gpus();

/// Why no GPU can be used by stages that compute in ATen operations, in a
/// sentence without its end; "": nothing keeps them from that.
[[nodiscard]] PENSTOCK_API std::string why_unusable(const Gpus& gpus);
/// The same for code that needs no libtorch with CUDA, but this version of its
/// runtime: 13000 is 13.0.
[[nodiscard]] PENSTOCK_API std::string why_no_driver(const Gpus& gpus,
                                                     int runtime);

}  // namespace penstock
