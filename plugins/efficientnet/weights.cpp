#include "efficientnet/weights.h"

#include <ATen/ops/empty.h>

#include <cmath>

#include "penstock/error.h"

namespace penstock::efficientnet {
namespace {

void replace(std::string& text, const std::string& mark, std::size_t number) {
  for (auto at = text.find(mark); at != std::string::npos;
       at = text.find(mark, at)) {
    text.replace(at, mark.size(), std::to_string(number));
  }
}

class Loader {
 public:
  Loader(const WeightFile& file, const Architecture& architecture)
      : file_(file), architecture_(architecture) {}

  void set_block(std::size_t block) { block_ = block; }

  [[nodiscard]] std::string name(const std::string& word) const {
    std::string out = architecture_.names.at(word);
    replace(out, "{i}", block_);
    replace(out, "{j}", block_ + 1);
    return out;
  }

  [[nodiscard]] at::Tensor tensor(
      const std::string& name, const std::vector<std::int64_t>& shape) const {
    const WeightTensor& from = file_.at(name, shape);
    auto out = at::empty(shape, at::kFloat);
    dequantize(
        from, 0, from.rows(),
        {out.mutable_data_ptr<float>(), static_cast<std::size_t>(out.numel())});
    return out;
  }

  [[nodiscard]] Convolution convolution(const std::string& word,
                                        std::int64_t out, std::int64_t in,
                                        std::int64_t kernel) const {
    Convolution conv;
    conv.weight =
        tensor(name(word + ".conv") + ".weight", {out, in, kernel, kernel});
    fold(conv, name(word + ".norm"), out);
    return conv;
  }

  /// The number of classes is the file's own matter.
  [[nodiscard]] std::int64_t classes() const {
    const WeightTensor& tensor = file_.at(name("classifier") + ".weight");
    return tensor.shape.empty() ? 0 : tensor.shape[0];
  }

 private:
  /// norm(conv(x)) = x * weight * factor + (bias - mean * factor).
  void fold(Convolution& conv, const std::string& norm,
            std::int64_t channels) const {
    const auto gamma = tensor(norm + ".weight", {channels});
    const auto beta = tensor(norm + ".bias", {channels});
    const auto mean = tensor(norm + ".running_mean", {channels});
    const auto variance = tensor(norm + ".running_var", {channels});
    conv.bias = at::empty({channels}, at::kFloat);
    auto* weight = conv.weight.mutable_data_ptr<float>();
    const std::int64_t size = conv.weight.numel() / channels;
    for (std::int64_t c = 0; c < channels; ++c) {
      const double factor =
          static_cast<double>(gamma.const_data_ptr<float>()[c]) /
          std::sqrt(static_cast<double>(variance.const_data_ptr<float>()[c]) +
                    architecture_.epsilon);
      if (!std::isfinite(factor)) {
        throw Error(Code::kData, str("'", norm,
                                     "' has a variance that is not "
                                     "above 0 in channel ",
                                     c));
      }
      conv.bias.mutable_data_ptr<float>()[c] = static_cast<float>(
          static_cast<double>(beta.const_data_ptr<float>()[c]) -
          static_cast<double>(mean.const_data_ptr<float>()[c]) * factor);
      for (std::int64_t i = 0; i < size; ++i, ++weight) {
        *weight = static_cast<float>(static_cast<double>(*weight) * factor);
      }
    }
  }

  const WeightFile& file_;
  const Architecture& architecture_;
  std::size_t block_ = 0;
};

BlockWeights load_block(const Loader& loader, const Block& block) {
  const std::string plain = block.expand == 1 ? "plain." : "";
  BlockWeights out;
  if (block.expand > 1) {
    out.expand = loader.convolution("expand", block.wide(), block.in, 1);
  }
  out.depthwise =
      loader.convolution(plain + "depthwise", block.wide(), 1, block.kernel);
  out.depthwise.stride = block.stride;
  out.depthwise.groups = block.wide();
  out.project =
      loader.convolution(plain + "project", block.out, block.wide(), 1);
  out.project.is_clamped = false;
  out.has_skip = block.has_skip();
  return out;
}

}  // namespace

Weights load_weights(const WeightFile& file, const Architecture& architecture) {
  Loader loader(file, architecture);
  Weights out;
  out.stem = loader.convolution("stem", architecture.stem, 3, 3);
  out.stem.stride = 2;
  for (std::size_t i = 0; i < architecture.blocks.size(); ++i) {
    loader.set_block(i);
    out.blocks.push_back(load_block(loader, architecture.blocks[i]));
  }
  const std::int64_t last = architecture.blocks.back().out;
  out.head = loader.convolution("head", architecture.head, last, 1);
  const std::int64_t classes = loader.classes();
  const std::string classifier = loader.name("classifier");
  out.classifier =
      loader.tensor(classifier + ".weight", {classes, architecture.head});
  out.bias = loader.tensor(classifier + ".bias", {classes});
  return out;
}

}  // namespace penstock::efficientnet
