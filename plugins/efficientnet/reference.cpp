#include "efficientnet/reference.h"

#include <ATen/ops/addmm.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>

#include <utility>

namespace penstock::efficientnet {

Reference::Reference(Weights weights, Architecture architecture,
                     at::Device device)
    : weights_(std::move(weights)), architecture_(std::move(architecture)) {
  const auto move = [&](Convolution& conv) {
    conv.weight = conv.weight.to(device);
    conv.bias = conv.bias.to(device);
  };
  move(weights_.stem);
  for (BlockWeights& block : weights_.blocks) {
    if (block.expand) move(*block.expand);
    move(block.depthwise);
    move(block.project);
  }
  move(weights_.head);
  weights_.classifier = weights_.classifier.to(device);
  weights_.bias = weights_.bias.to(device);
}

at::Tensor Reference::apply(const Convolution& conv,
                            const at::Tensor& in) const {
  const auto rows =
      padding(architecture_, in.size(2), conv.kernel(), conv.stride);
  const auto columns =
      padding(architecture_, in.size(3), conv.kernel(), conv.stride);
  const auto padded = at::constant_pad_nd(
      in, {columns.before, columns.after, rows.before, rows.after});
  auto out = at::conv2d(padded, conv.weight, conv.bias,
                        /*stride=*/{conv.stride, conv.stride},
                        /*padding=*/at::IntArrayRef{0, 0},
                        /*dilation=*/{1, 1}, conv.groups);
  return conv.is_clamped ? out.clamp_(0, 6) : out;
}

at::Tensor Reference::run(const at::Tensor& pixels) const {
  at::Tensor x = apply(weights_.stem, pixels.to(weights_.bias.device()));
  for (const BlockWeights& block : weights_.blocks) {
    at::Tensor y = block.expand ? apply(*block.expand, x) : x;
    y = apply(block.project, apply(block.depthwise, y));
    x = block.has_skip ? y.add_(x) : y;
  }
  const at::Tensor features = apply(weights_.head, x).mean({2, 3});
  return at::addmm(weights_.bias, features, weights_.classifier.t());
}

}  // namespace penstock::efficientnet
