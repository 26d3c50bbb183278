#include "silero/network.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/conv1d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/pad.h>

#include <algorithm>
#include <cmath>

namespace penstock::silero {
namespace {

constexpr std::size_t kGates = 4 * kHidden;
constexpr std::int64_t kFrames = 4;

at::Tensor load(const WeightFile& file, const std::string& name,
                const std::vector<std::int64_t>& shape) {
  const WeightTensor& from = file.at(name, shape);
  auto tensor = at::empty(shape, at::kFloat);
  dequantize(from, 0, from.rows(),
             {tensor.mutable_data_ptr<float>(),
              static_cast<std::size_t>(tensor.numel())});
  return tensor;
}

float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

Network::Network(const WeightFile& file, std::int64_t sample_rate)
    : window_(sample_rate == 16000 ? 512 : 256) {
  const std::string root = sample_rate == 16000 ? "_model." : "_model_8k.";
  const std::int64_t bins = window_ / 4 + 1;
  basis_ =
      load(file, root + "stft.forward_basis_buffer", {2 * bins, 1, window_ / 2})
          .squeeze(1);
  const std::vector<std::array<std::int64_t, 3>> shapes = {
      {bins, 128, 1}, {128, 64, 2}, {64, 64, 2}, {64, 128, 1}};
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const auto [in, out, stride] = shapes[i];
    const std::string name =
        root + "encoder." + std::to_string(i) + ".reparam_conv.";
    convolutions_.push_back(
        {.weight = load(file, name + "weight", {out, in, 3}),
         .bias = load(file, name + "bias", {out}),
         .stride = stride});
  }
  const std::string rnn = root + "decoder.rnn.";
  const auto hidden = static_cast<std::int64_t>(kHidden);
  input_weight_ = load(file, rnn + "weight_ih", {4 * hidden, hidden}).t();
  input_bias_ = load(file, rnn + "bias_ih", {4 * hidden}) +
                load(file, rnn + "bias_hh", {4 * hidden});
  const auto memory =
      load(file, rnn + "weight_hh", {4 * hidden, hidden}).t().contiguous();
  const auto* first = memory.const_data_ptr<float>();
  memory_weight_.assign(first, first + memory.numel());
  const auto out =
      load(file, root + "decoder.decoder.2.weight", {1, hidden, 1});
  std::copy_n(out.const_data_ptr<float>(), kHidden, out_weight_.begin());
  out_bias_ = load(file, root + "decoder.decoder.2.bias", {1}).item<float>();
}

at::Tensor Network::features(const at::Tensor& windows) const {
  const std::int64_t count = windows.size(0);
  const std::int64_t width = window_ / 2;
  const auto sound = at::pad(windows.unsqueeze(1), {0, context()}, "reflect")
                         .squeeze(1)
                         .contiguous();
  const auto frames =
      sound.as_strided({count, kFrames, width}, {sound.size(1), width / 2, 1});
  const auto spectrum =
      at::matmul(frames.reshape({count * kFrames, width}), basis_.t());
  const std::int64_t bins = basis_.size(0) / 2;
  const auto energy = spectrum.narrow(1, 0, bins).square() +
                      spectrum.narrow(1, bins, bins).square();
  auto x = energy.sqrt().view({count, kFrames, bins}).transpose(1, 2);
  for (const Convolution& one : convolutions_) {
    x = at::conv1d(x, one.weight, one.bias, one.stride, /*padding=*/1).relu_();
  }
  return x.reshape({count, static_cast<std::int64_t>(kHidden)});
}

float Network::step(const float* gates, Memory& memory) const {
  std::array<float, kGates> sums{};
  std::copy_n(gates, kGates, sums.begin());
  for (std::size_t k = 0; k < kHidden; ++k) {
    const float h = memory.hidden[k];
    const float* row = &memory_weight_[k * kGates];
    for (std::size_t j = 0; j < kGates; ++j) sums[j] += h * row[j];
  }
  float out = out_bias_;
  for (std::size_t k = 0; k < kHidden; ++k) {
    const float in = sigmoid(sums[k]);
    const float forget = sigmoid(sums[kHidden + k]);
    const float candidate = std::tanh(sums[2 * kHidden + k]);
    const float show = sigmoid(sums[3 * kHidden + k]);
    float& cell = memory.cell[k];
    cell = forget * cell + in * candidate;
    memory.hidden[k] = show * std::tanh(cell);
    out += out_weight_[k] * std::max(0.0F, memory.hidden[k]);
  }
  return sigmoid(out);
}

std::vector<float> Network::run(const at::Tensor& windows,
                                Memory& memory) const {
  const auto gates =
      at::addmm(input_bias_, features(windows), input_weight_).contiguous();
  const auto* row = gates.const_data_ptr<float>();
  std::vector<float> out;
  for (std::int64_t i = 0; i < gates.size(0); ++i, row += kGates) {
    out.push_back(step(row, memory));
  }
  return out;
}

}  // namespace penstock::silero
