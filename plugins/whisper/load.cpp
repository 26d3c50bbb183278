// Loads the model's weights from the arrays of a file.
#include <ATen/ops/empty.h>

#include <algorithm>

#include "penstock/error.h"
#include "whisper/model.h"

namespace penstock::whisper {
namespace {

std::int64_t count_layers(const Arrays& file, const std::string& side) {
  std::int64_t count = 0;
  while (file.has(str(side, "/layer_", count, "/ffn/linear_0/weight"))) ++count;
  return count;
}

std::int64_t dim_of(const Arrays& file, const std::string& name,
                    std::size_t dim, std::size_t rank) {
  const auto shape = file.shape(name);
  if (shape.size() != rank) {
    throw Error(Code::kData, str("'", file.name(), "': ", name, " has ",
                                 shape.size(), " dims, not ", rank));
  }
  return shape[dim];
}

}  // namespace

Config read_config(const Arrays& file) {
  Config c;
  c.mels = dim_of(file, "encoder/conv1/weight", 1, 3);
  c.dim = dim_of(file, "encoder/conv1/weight", 0, 3);
  c.heads = file.heads("decoder");
  c.ffn = dim_of(file, "decoder/layer_0/ffn/linear_0/weight", 0, 2);
  c.vocab = dim_of(file, "decoder/embeddings/weight", 0, 2);
  c.positions = dim_of(file, "encoder/position_encodings/encodings", 0, 2);
  c.context = dim_of(file, "decoder/position_encodings/encodings", 0, 2);
  c.encoder_layers = count_layers(file, "encoder");
  c.decoder_layers = count_layers(file, "decoder");
  if (c.heads < 1 || c.dim % c.heads != 0 || c.encoder_layers < 1 ||
      file.heads("encoder") != c.heads) {
    throw Error(Code::kData,
                str("'", file.name(), "': ", c.heads, " heads do not share ",
                    c.dim, " numbers in ", c.encoder_layers, " layers"));
  }
  return c;
}

class Model::Loader {
 public:
  Loader(const Arrays& file, at::ScalarType dtype, at::Device device)
      : file_(file), dtype_(dtype), device_(device) {}

  at::Tensor tensor(const std::string& name,
                    const std::vector<std::int64_t>& shape,
                    at::ScalarType dtype) const {
    check_shape(file_, name, shape);
    const auto options = at::TensorOptions().dtype(dtype).device(device_);
    if (device_.is_meta()) return at::empty(shape, options);
    const std::vector<float> values = file_.floats(name);
    auto out = at::empty(shape, at::kFloat);
    std::copy(values.begin(), values.end(), out.mutable_data_ptr<float>());
    return out.to(options);
  }
  Linear linear(const std::string& name,
                const std::vector<std::int64_t>& shape) const {
    return {.weight = tensor(name + "/weight", shape, dtype_),
            .bias = tensor(name + "/bias", {shape[0]}, dtype_)};
  }
  Norm norm(const std::string& name, std::int64_t dim) const {
    return {.weight = tensor(name + "/gamma", {dim}, at::kFloat),
            .bias = tensor(name + "/beta", {dim}, at::kFloat)};
  }
  std::vector<Layer> layers(const std::string& side, std::int64_t count,
                            const Config& c) const {
    std::vector<Layer> out;
    for (std::int64_t i = 0; i < count; ++i) {
      out.push_back(layer(str(side, "/layer_", i), side == "decoder", c));
    }
    return out;
  }

 private:
  Layer layer(const std::string& name, bool is_decoder, const Config& c) const {
    Layer out;
    const std::string self = name + "/self_attention";
    out.attention_norm = norm(self + "/layer_norm", c.dim);
    out.qkv = linear(self + "/linear_0", {3 * c.dim, c.dim});
    out.attention_out = linear(self + "/linear_1", {c.dim, c.dim});
    if (is_decoder) {
      const std::string cross = name + "/attention";
      out.window_norm = norm(cross + "/layer_norm", c.dim);
      out.window_q = linear(cross + "/linear_0", {c.dim, c.dim});
      out.window_kv = linear(cross + "/linear_1", {2 * c.dim, c.dim});
      out.window_out = linear(cross + "/linear_2", {c.dim, c.dim});
    }
    out.ffn_norm = norm(name + "/ffn/layer_norm", c.dim);
    out.up = linear(name + "/ffn/linear_0", {c.ffn, c.dim});
    out.down = linear(name + "/ffn/linear_1", {c.dim, c.ffn});
    return out;
  }

  const Arrays& file_;
  at::ScalarType dtype_;
  at::Device device_;
};

Model::Model(const Arrays& file, at::ScalarType dtype, at::Device device)
    : config_(read_config(file)), dtype_(dtype) {
  const Config& c = config_;
  const Loader loader(file, dtype, device);
  conv1_ = loader.linear("encoder/conv1", {c.dim, c.mels, 3});
  conv2_ = loader.linear("encoder/conv2", {c.dim, c.dim, 3});
  encoder_positions_ = loader.tensor("encoder/position_encodings/encodings",
                                     {c.positions, c.dim}, at::kFloat);
  decoder_positions_ = loader.tensor("decoder/position_encodings/encodings",
                                     {c.context, c.dim}, at::kFloat);
  embeddings_ =
      loader.tensor("decoder/embeddings/weight", {c.vocab, c.dim}, at::kFloat);
  head_ = embeddings_.to(dtype);
  encoder_ = loader.layers("encoder", c.encoder_layers, c);
  decoder_ = loader.layers("decoder", c.decoder_layers, c);
  encoder_norm_ = loader.norm("encoder/layer_norm", c.dim);
  decoder_norm_ = loader.norm("decoder/layer_norm", c.dim);
}

}  // namespace penstock::whisper
