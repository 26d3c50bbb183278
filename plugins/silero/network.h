// The network of Silero VAD: windows of sound to probabilities of speech.
//
//   64 samples before + 512 new (at 8 kHz: 32 + 256), the end mirrored
//   -> 4 frames of a fixed STFT -> magnitudes -> 4 convolutions -> 128 numbers
//   -> LSTM cell -> ReLU -> one weighted sum -> probability of speech
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "penstock/weights.h"

namespace penstock::silero {

inline constexpr std::size_t kHidden = 128;

/// State that the LSTM keeps from window to window; starts at zero.
struct Memory {
  std::array<float, kHidden> hidden{}, cell{};
};

/// The network for one sample rate. Const once loaded: any number of threads
/// may use it.
class Network {
 public:
  /// Reads the network for 16000 or 8000 samples a second; the file holds both.
  Network(const WeightFile& file, std::int64_t sample_rate);

  /// Number of new samples of a window.
  [[nodiscard]] std::int64_t window() const { return window_; }
  /// Number of samples before the new ones that a window sees as well.
  [[nodiscard]] std::int64_t context() const { return window_ / 8; }

  /// Probabilities of `windows` f32[N, context + window], in order.
  [[nodiscard]] std::vector<float> run(const at::Tensor& windows,
                                       Memory& memory) const;

 private:
  struct Convolution {
    at::Tensor weight, bias;
    std::int64_t stride = 1;
  };
  [[nodiscard]] at::Tensor features(const at::Tensor& windows) const;
  /// One step of the LSTM, from the input's share of the gates.
  [[nodiscard]] float step(const float* gates, Memory& memory) const;

  std::int64_t window_;
  at::Tensor basis_;  ///< [2 * bins, window / 2]: real rows, then imaginary
  std::vector<Convolution> convolutions_;
  at::Tensor input_weight_;           ///< [128, 4 * 128]
  at::Tensor input_bias_;             ///< [4 * 128], of input and memory
  std::vector<float> memory_weight_;  ///< [128][4 * 128]
  std::array<float, kHidden> out_weight_{};
  float out_bias_ = 0;
};

}  // namespace penstock::silero
