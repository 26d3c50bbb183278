// The reference engine for every published size, on libtorch's `meta` device:
// shapes and dtypes of whole steps, without weights. It throws where an
// operation reads numbers back or takes tensors of two devices, so what passes
// here neither waits for a GPU within a step nor leaves a tensor on the CPU.
#include <ATen/ops/empty.h>
#include <ATen/ops/scalar_tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gemma/reference.h"
#include "tests/plugins/gemma/cuda/sim_engine.h"

namespace penstock::gemma {
namespace {

struct Size {
  std::string name;
  Config config;
};
void PrintTo(const Size& size, std::ostream* os) { *os << size.name; }

/// What the sizes have in common, and what from 4B on is another.
Config config_of(std::int64_t hidden, std::int64_t layers, std::int64_t heads,
                 std::int64_t kv_heads, std::int64_t ffn) {
  Config c;
  const bool is_large = hidden > 2000;
  c.hidden = hidden;
  c.layers = layers;
  c.heads = heads;
  c.kv_heads = kv_heads;
  c.head_dim = heads == 32 ? 128 : 256;
  c.ffn = ffn;
  c.vocab = is_large ? 262'208 : 262'144;
  c.context = is_large ? 131'072 : 32'768;
  c.window = is_large ? 1024 : 512;
  c.rope_scale = is_large ? 8 : 1;
  c.attention_scale = heads == 32 ? 0.0772 : 0.0625;
  return c;
}

/// As config.json of google/gemma-3-* has them.
const std::vector<Size> kSizes{
    {"270m", config_of(640, 18, 4, 1, 2048)},
    {"1b", config_of(1152, 26, 4, 1, 6912)},
    {"4b", config_of(2560, 34, 8, 4, 10'240)},
    {"12b", config_of(3840, 48, 16, 8, 15'360)},
    {"27b", config_of(5376, 62, 32, 16, 21'504)},
};

Weights meta_weights(const Config& c, at::ScalarType dtype) {
  const auto tensor = [&](const std::vector<std::int64_t>& sizes,
                          at::ScalarType type) {
    return at::empty(sizes, at::TensorOptions().dtype(type).device(at::kMeta));
  };
  const auto norm = [&](std::int64_t size) {
    return tensor({size}, at::kFloat);
  };
  Weights out;
  out.embedding = out.output = tensor({c.vocab, c.hidden}, dtype);
  out.norm = norm(c.hidden);
  const std::int64_t queries = c.heads * c.head_dim;
  for (std::int64_t i = 0; i < c.layers; ++i) {
    out.layers.push_back(
        {.attention_norm = norm(c.hidden),
         .qkv =
             tensor({queries + 2 * c.kv_heads * c.head_dim, c.hidden}, dtype),
         .q_norm = norm(c.head_dim),
         .k_norm = norm(c.head_dim),
         .attention_out = tensor({c.hidden, queries}, dtype),
         .post_attention_norm = norm(c.hidden),
         .ffn_norm = norm(c.hidden),
         .gate_up = tensor({2 * c.ffn, c.hidden}, dtype),
         .down = tensor({c.hidden, c.ffn}, dtype),
         .post_ffn_norm = norm(c.hidden)});
  }
  return out;
}

constexpr int kSlots = 8;

cuda::EngineForward meta_forward(const Config& config, at::ScalarType dtype,
                                 bool logits = false) {
  return cuda::EngineForward(std::make_unique<ReferenceEngine>(
      config, meta_weights(config, dtype),
      ReferenceEngine::Options{.dtype = dtype,
                               .device = at::kMeta,
                               .slots = logits ? 0 : kSlots,
                               .logits = logits}));
}

void expect_is(const at::Tensor& tensor, at::ScalarType dtype,
               const std::vector<std::int64_t>& sizes, const char* what) {
  ASSERT_TRUE(tensor.defined()) << what;
  EXPECT_TRUE(tensor.is_meta()) << what << " is on " << tensor.device();
  EXPECT_EQ(tensor.scalar_type(), dtype) << what;
  EXPECT_EQ(tensor.sizes(), sizes) << what;
}

class OnMeta : public ::testing::TestWithParam<Size> {
 protected:
  [[nodiscard]] static const Config& config() { return GetParam().config; }
};

/// Prompts of every kind of length beside each other, then tokens one by one:
/// within the window, over its end, and over the end of the buffers.
TEST_P(OnMeta, GivesScoresOfPromptsAndOfTokensBehindThem) {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    auto forward = meta_forward(config(), dtype);
    cuda::Sequences all(forward, 5);
    const std::vector<std::int64_t> lengths{1, 7, 64, 512, 3000};
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      all.at(i).tokens = Tokens(static_cast<std::size_t>(lengths[i]), 5);
      all.at(i).want = {.top = 8, .ids = {}};
    }
    const Scores prompts = all.run_rest();
    expect_is(prompts.ids, at::kLong, {5, 8}, "ids");
    expect_is(prompts.values, at::kFloat, {5, 8}, "values");
    for (int step = 0; step < 2; ++step) {
      for (std::size_t i = 0; i < 5; ++i) all.at(i).tokens.push_back(7);
      expect_is(all.run_rest().ids, at::kLong, {5, 8}, "ids of one token each");
    }
    const std::vector<std::int64_t> chunk{40, 0, 1, 0, 300};
    for (const std::size_t i : {0U, 2U, 4U}) {
      all.at(i).tokens.resize(
          all.at(i).tokens.size() + static_cast<std::size_t>(chunk[i]), 9);
    }
    expect_is(all.run(chunk).ids, at::kLong, {3, 8}, "ids of chunks");
  }
}

TEST_P(OnMeta, GivesAllThatMayBeWanted) {
  auto forward = meta_forward(config(), at::kBFloat16);
  cuda::Sequences all(forward, 2);
  const auto allowed = std::make_shared<const TokenSet>(Tokens{1, 5, 9});
  all.at(0).tokens = {2, 3, 4};
  all.at(0).want = {.from = 1,
                    .top = 1,
                    .full = true,
                    .norm = true,
                    .follow = true,
                    .hidden = true,
                    .ids = {7, 8},
                    .allowed = {allowed}};
  all.at(1).tokens = {2};
  all.at(1).want = {.top = 1, .ids = {}};
  const Scores scores = all.run_rest();
  const std::int64_t vocab = config().vocab;
  expect_is(scores.ids, at::kLong, {3, 1}, "ids");
  expect_is(scores.values, at::kFloat, {3, 1}, "values");
  expect_is(scores.full, at::kFloat, {3, vocab}, "full");
  expect_is(scores.norm, at::kFloat, {3}, "norm");
  expect_is(scores.follow, at::kFloat, {3}, "follow");
  expect_is(scores.hidden, at::kFloat, {3, config().hidden}, "hidden");
  expect_is(scores.at, at::kFloat, {3, 2}, "at");
}

TEST_P(OnMeta, KeepsSlidingLayersInMemoryThatDoesNotGrow) {
  Config alone = config();
  alone.sliding.assign(static_cast<std::size_t>(alone.layers), true);
  auto sliding = meta_forward(alone, at::kBFloat16);
  cuda::Sequences slid(sliding, 1);
  slid.at(0).tokens = {2};
  (void)slid.run_rest();
  const std::int64_t first = sliding.state_bytes(0);
  for (int i = 0; i < 3; ++i) {
    slid.at(0).tokens.resize(slid.at(0).tokens.size() + 200, 9);
    (void)slid.run_rest();
  }
  EXPECT_EQ(sliding.state_bytes(0), first);
}

INSTANTIATE_TEST_SUITE_P(Sizes, OnMeta, ::testing::ValuesIn(kSizes),
                         [](const auto& test) { return test.param.name; });

/// What the tests above rest on.
TEST(Meta, RefusesToBeReadAndToBeMixed) {
  const auto there = at::empty({3}, at::TensorOptions().device(at::kMeta));
  EXPECT_ANY_THROW((void)there.sum().item<float>());
  EXPECT_ANY_THROW((void)there.cpu());
  EXPECT_ANY_THROW((void)there.add(at::empty({3})));
  EXPECT_ANY_THROW((void)there.index_select(0, at::empty({1}, at::kLong)));
}

}  // namespace
}  // namespace penstock::gemma
