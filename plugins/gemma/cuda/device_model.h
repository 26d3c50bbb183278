// The weights of a model in a device's memory, as the kernels take them: q, k
// and v as one matrix, gate and up as one, in the format of the file where that
// is quantised and wanted; norms and frequencies as floats.
#pragma once

#include <vector>

#include "gemma/checkpoint.h"
#include "gemma/cuda/kernels.h"
#include "lib/gpu/device_api.h"

namespace penstock::gemma::cuda {

/// What weights become on the device.
struct WeightChoice {
  NumberType type = NumberType::kF32;  ///< of those that are numbers
  /// Quantised matrices stay codes; only with kBf16.
  bool keeps_codes = false;
  /// The head's are there as codes once more, by which it is screened.
  bool screens = false;
};

/// One layer's; all on the device.
struct DeviceLayer {
  Matrix qkv;      ///< [(heads + 2 kv_heads) head_dim, hidden]
  Matrix out;      ///< [hidden, heads head_dim]
  Matrix gate_up;  ///< [2 ffn, hidden]
  Matrix down;     ///< [hidden, ffn]
  const float* attention_norm = nullptr;       ///< [hidden]
  const float* q_norm = nullptr;               ///< [head_dim], scaled
  const float* k_norm = nullptr;               ///< [head_dim]
  const float* post_attention_norm = nullptr;  ///< [hidden]
  const float* ffn_norm = nullptr;             ///< [hidden]
  const float* post_ffn_norm = nullptr;        ///< [hidden]
};

class DeviceModel {
 public:
  /// Reads, converts and copies all weights. Throws Error(kData) naming a
  /// tensor that is missing or bad, and what `api` throws.
  DeviceModel(gpu::DeviceApi& api, const Checkpoint& model,
              const WeightChoice& choice);

  /// Device memory that the constructor takes.
  [[nodiscard]] static std::int64_t bytes(const Checkpoint& model,
                                          const WeightChoice& choice);

  /// Whether the head would be codes of the file.
  [[nodiscard]] static bool has_coded_head(const Checkpoint& model,
                                           const WeightChoice& choice);

  [[nodiscard]] const DeviceLayer& layer(std::int64_t i) const {
    return layers_[static_cast<std::size_t>(i)];
  }
  [[nodiscard]] const Matrix& embedding() const { return embedding_; }
  [[nodiscard]] const Matrix& output() const { return output_; }
  /// Those of the output; null codes: not chosen.
  [[nodiscard]] const ScreenCodes& screen() const { return screen_; }
  [[nodiscard]] const float* norm() const { return norm_; }
  /// By pair of numbers, [head_dim / 2]: of layers that see all, and of those
  /// that see a window.
  [[nodiscard]] const float* full_frequencies() const { return full_; }
  [[nodiscard]] const float* local_frequencies() const { return local_; }

 private:
  class Loader;

  gpu::Memory matrices_, floats_, codes_;
  std::vector<DeviceLayer> layers_;
  Matrix embedding_, output_;
  ScreenCodes screen_;
  const float* norm_ = nullptr;
  const float* full_ = nullptr;
  const float* local_ = nullptr;
};

}  // namespace penstock::gemma::cuda
