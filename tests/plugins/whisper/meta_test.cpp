// The reference engine for every published size, on libtorch's `meta` device:
// shapes and dtypes, without weights. What passes here reads no number back and
// leaves no tensor on the CPU; see tests/plugins/meta_ops.cpp.
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "penstock/error.h"
#include "whisper/forward.h"
#include "whisper/reference.h"

namespace penstock::whisper {
namespace {

using ::testing::HasSubstr;

struct Size {
  std::string name;
  Config config;
};
void PrintTo(const Size& size, std::ostream* os) { *os << size.name; }

Size size_of(const std::string& name, std::int64_t dim, std::int64_t layers,
             std::int64_t vocab = 51'865) {
  Config c;
  c.dim = dim;
  c.heads = dim / 64;
  c.ffn = 4 * dim;
  c.encoder_layers = c.decoder_layers = layers;
  c.vocab = vocab;
  return {.name = name, .config = c};
}

Size large_v3(const std::string& name, std::int64_t decoder_layers) {
  Size size = size_of(name, 1280, 32, 51'866);
  size.config.mels = 128;
  size.config.decoder_layers = decoder_layers;
  return size;
}

/// Shapes of a model's arrays, and no numbers.
class Shapes final : public Arrays {
 public:
  explicit Shapes(const Config& config) : c_(config) {}

  [[nodiscard]] std::string name() const override { return "shapes"; }
  [[nodiscard]] bool has(const std::string& array) const override {
    const bool is_decoder = array.starts_with("decoder/");
    const auto at = array.find("layer_");
    if (at == std::string::npos) return true;
    return std::stoll(array.substr(at + 6)) <
           (is_decoder ? c_.decoder_layers : c_.encoder_layers);
  }
  [[nodiscard]] std::vector<std::int64_t> shape(
      const std::string& array) const override {
    auto out = matrix(array);
    if (array.ends_with("bias")) out.resize(1);
    return out;
  }
  [[nodiscard]] std::vector<WeightTensor> parts(
      const std::string& array) const override {
    throw Error(Code::kInternal, array + " was read");
  }
  [[nodiscard]] std::int64_t heads(const std::string& /*side*/) const override {
    return c_.heads;
  }
  [[nodiscard]] std::int64_t size() const override { return 0; }

 private:
  [[nodiscard]] std::vector<std::int64_t> matrix(
      const std::string& array) const {
    const auto has = [&](const char* part) {
      return array.find(part) != std::string::npos;
    };
    if (has("conv1")) return {c_.dim, c_.mels, 3};
    if (has("conv2")) return {c_.dim, c_.dim, 3};
    if (has("encoder/position")) return {c_.positions, c_.dim};
    if (has("decoder/position")) return {c_.context, c_.dim};
    if (has("embeddings")) return {c_.vocab, c_.dim};
    if (has("layer_norm")) return {c_.dim};
    if (has("ffn/linear_0")) return {c_.ffn, c_.dim};
    if (has("ffn/linear_1")) return {c_.dim, c_.ffn};
    if (has("self_attention/linear_0")) return {3 * c_.dim, c_.dim};
    if (has("attention/linear_1") && !has("self")) return {2 * c_.dim, c_.dim};
    return {c_.dim, c_.dim};
  }

  Config c_;
};

class OnMeta : public ::testing::TestWithParam<Size> {};

TEST_P(OnMeta, HearsTwoWindowsAndWritesTokenByToken) {
  const Config& c = GetParam().config;
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    ReferenceEngine engine(Shapes(c), dtype, /*slots=*/3, at::kMeta);
    const auto window = at::zeros({c.mels, c.window()});
    engine.encode({window, window}, {0, 2});
    const auto tokens = [](std::int64_t count) {
      return at::zeros({count}, at::kLong);
    };
    auto scores = engine.decode(tokens(7), {{0, 4}, {2, 3}}, {3, 6});
    EXPECT_EQ(scores.sizes(), (std::vector<std::int64_t>{2, c.vocab}));
    for (int i = 0; i < 2; ++i) {
      scores = engine.decode(tokens(2), {{0, 1}, {2, 1}}, {0, 1});
    }
    EXPECT_EQ(scores.sizes(), (std::vector<std::int64_t>{2, c.vocab}));
    EXPECT_EQ(scores.scalar_type(), at::kFloat);
    EXPECT_TRUE(scores.is_meta());
    EXPECT_EQ(engine.length(0), 6);
    EXPECT_EQ(engine.length(2), 5);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, OnMeta,
    ::testing::Values(size_of("tiny_en", 384, 4, 51'864),
                      size_of("tiny", 384, 4), size_of("base", 512, 6),
                      size_of("small", 768, 12), size_of("medium", 1024, 24),
                      size_of("large_v2", 1280, 32), large_v3("large_v3", 32),
                      large_v3("large_v3_turbo", 4)),
    [](const auto& test) { return test.param.name; });

/// Whoever comes next into a slot finds its buffers and none of its state.
TEST(Cache, IsMadeOnceForEverySequenceOfASlot) {
  const Config c = size_of("tiny", 384, 4).config;
  const Model model(Shapes(c), at::kFloat, at::kMeta);
  Cache cache = model.make_cache();
  const auto encoded = model.encode(
      at::empty({1, c.mels, c.window()}, at::TensorOptions(at::kMeta)));
  model.begin(encoded[0], cache);
  const auto first = cache.keys[0];
  const auto heard = cache.window_keys[0];
  const auto token =
      at::empty({1}, at::TensorOptions(at::kMeta).dtype(at::kLong));
  (void)model.decode(token, {{1, &cache}});
  EXPECT_EQ(cache.length, 1);
  model.begin(encoded[0], cache);
  EXPECT_EQ(cache.length, 0);
  EXPECT_TRUE(cache.keys[0].is_same(first));
  EXPECT_TRUE(cache.window_keys[0].is_same(heard));
}

TEST(Gpu, TakesTheReferenceWhereLibtorchHasCuda) {
  Gpus gpus;
  gpus.all.resize(1);
  gpus.cuda = 13'000;
  const auto why = [&](const WhisperForward::Params& params) {
    return WhisperForward::why_no_gpu(params, "", gpus, 0);
  };
  EXPECT_EQ(why({}), why_unusable(gpus));
  EXPECT_EQ(why({.dtype = "bf16"}), why_unusable(gpus));
  EXPECT_THAT(why({.engine = "native"}), HasSubstr("use engine: reference"));
  EXPECT_THAT(why({.dtype = "int8"}), HasSubstr("use fp32 or bf16"));
}

}  // namespace
}  // namespace penstock::whisper
