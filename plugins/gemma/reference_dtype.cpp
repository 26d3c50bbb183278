#include "gemma/reference_dtype.h"

namespace penstock::gemma {

bool has_bf16(const Gpus& gpus, at::Device device) {
  constexpr int kFirstWithIt = 8;  // of compute capabilities; before it, slowly
  const auto index =
      static_cast<std::size_t>(device.has_index() ? device.index() : 0);
  return index < gpus.all.size() && gpus.all[index].major >= kFirstWithIt;
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
