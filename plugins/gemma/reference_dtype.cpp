#include "gemma/reference_dtype.h"

#include "lib/gpu/device_api.h"

namespace penstock::gemma {

bool has_bf16(const Gpus& gpus, at::Device device) {
  const auto index =
      static_cast<std::size_t>(device.has_index() ? device.index() : 0);
  return index < gpus.all.size() && gpu::has_bf16(gpus.all[index].major);
}

at::ScalarType reference_dtype(Dtype dtype, at::Device device, bool has_bf16) {
  if (dtype == Dtype::kFp32) return at::kFloat;
  if (dtype == Dtype::kBf16) return at::kBFloat16;
  if (device.is_cuda()) return has_bf16 ? at::kBFloat16 : at::kFloat;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bf16")) return at::kBFloat16;
#endif
  return at::kFloat;
}

}  // namespace penstock::gemma
