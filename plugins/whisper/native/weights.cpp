#include "whisper/native/weights.h"

#include <algorithm>
#include <span>

#include "penstock/error.h"

namespace penstock::whisper::native {
namespace {

class Loader {
 public:
  Loader(const Arrays& file, const Config& config, PackedType kind)
      : file_(file), c_(config), kind_(kind) {}

  std::vector<float> floats(const std::string& name,
                            const std::vector<std::int64_t>& shape) const {
    check_shape(file_, name, shape);
    return file_.floats(name);
  }
  Matrix matrix(const std::string& name, std::int64_t rows,
                std::int64_t columns) const {
    check_shape(file_, name, {rows, columns});
    const auto parts = file_.parts(name);
    return {kind_, rows, columns, [&](std::int64_t row, std::span<float> to) {
              read_row(parts, row, to);
            }};
  }
  Linear linear(const std::string& name, std::int64_t rows,
                std::int64_t columns) const {
    return {.matrix = matrix(name + "/weight", rows, columns),
            .bias = floats(name + "/bias", {rows})};
  }
  /// Convolution as a matrix: [dim, channels, 3] with the channels of each of
  /// the three frames side by side.
  Linear convolution(const std::string& name, std::int64_t channels) const {
    const auto from = floats(name + "/weight", {c_.dim, channels, 3});
    std::vector<float> numbers(from.size());
    for (std::int64_t i = 0; i < c_.dim * channels; ++i) {
      for (std::int64_t tap = 0; tap < 3; ++tap) {
        const std::int64_t to =
            (i / channels * 3 + tap) * channels + i % channels;
        numbers[static_cast<std::size_t>(to)] =
            from[static_cast<std::size_t>(i * 3 + tap)];
      }
    }
    const auto read = [&](std::int64_t row, std::span<float> to) {
      std::copy_n(numbers.data() + row * 3 * channels, to.size(), to.data());
    };
    return {.matrix = {kind_, c_.dim, 3 * channels, read},
            .bias = floats(name + "/bias", {c_.dim})};
  }
  Norm norm(const std::string& name) const {
    return {.weight = floats(name + "/gamma", {c_.dim}),
            .bias = floats(name + "/beta", {c_.dim})};
  }
  Layer layer(const std::string& name, bool is_decoder) const {
    Layer out;
    const std::string self = name + "/self_attention";
    out.attention_norm = norm(self + "/layer_norm");
    out.qkv = linear(self + "/linear_0", 3 * c_.dim, c_.dim);
    out.attention_out = linear(self + "/linear_1", c_.dim, c_.dim);
    if (is_decoder) {
      const std::string cross = name + "/attention";
      out.window_norm = norm(cross + "/layer_norm");
      out.window_q = linear(cross + "/linear_0", c_.dim, c_.dim);
      out.window_kv = linear(cross + "/linear_1", 2 * c_.dim, c_.dim);
      out.window_out = linear(cross + "/linear_2", c_.dim, c_.dim);
    }
    out.ffn_norm = norm(name + "/ffn/layer_norm");
    out.up = linear(name + "/ffn/linear_0", c_.ffn, c_.dim);
    out.down = linear(name + "/ffn/linear_1", c_.dim, c_.ffn);
    return out;
  }

 private:
  const Arrays& file_;
  const Config& c_;
  PackedType kind_;
};

}  // namespace

Weights::Weights(const Arrays& file, PackedType matrices)
    : config(read_config(file)), kind(matrices) {
  const Config& c = config;
  const Loader loader(file, c, kind);
  conv1 = loader.convolution("encoder/conv1", c.mels);
  conv2 = loader.convolution("encoder/conv2", c.dim);
  encoder_positions = loader.floats("encoder/position_encodings/encodings",
                                    {c.positions, c.dim});
  decoder_positions =
      loader.floats("decoder/position_encodings/encodings", {c.context, c.dim});
  embeddings = loader.matrix("decoder/embeddings/weight", c.vocab, c.dim);
  for (std::int64_t i = 0; i < c.encoder_layers; ++i) {
    encoder.push_back(loader.layer(str("encoder/layer_", i), false));
  }
  for (std::int64_t i = 0; i < c.decoder_layers; ++i) {
    decoder.push_back(loader.layer(str("decoder/layer_", i), true));
  }
  encoder_norm = loader.norm("encoder/layer_norm");
  decoder_norm = loader.norm("decoder/layer_norm");
}

}  // namespace penstock::whisper::native
