// A folder of transformers gives the numbers that transformers computes.
#include "whisper/arrays.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "penstock/error.h"
#include "whisper/model.h"
#include "whisper/vocabulary.h"

namespace penstock::whisper {
namespace {

namespace fs = std::filesystem;

const fs::path kFolder = PENSTOCK_SOURCE_DIR "/tests/fixtures/whisper";

nlohmann::json golden() {
  return nlohmann::json::parse(
      std::ifstream(PENSTOCK_SOURCE_DIR "/tests/golden/whisper/folder.json"));
}

void expect_near(const at::Tensor& got, const nlohmann::json& wanted) {
  const auto flat = got.contiguous();
  ASSERT_EQ(flat.numel(), static_cast<std::int64_t>(wanted.size()));
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    ASSERT_NEAR(flat.const_data_ptr<float>()[i], wanted[i].get<float>(), 2e-5)
        << i;
  }
}

TEST(Folder, ComputesWhatTransformersDoes) {
  const auto wanted = golden();
  const Model model(*Arrays::open(kFolder), at::kFloat);
  EXPECT_EQ(model.config().decoder_layers, 3);
  const auto m = at::arange(80, at::kDouble).unsqueeze(1);
  const auto t = at::arange(40, at::kDouble).unsqueeze(0);
  const auto features = at::sin(m * 0.37 + t * 0.11).to(at::kFloat);
  const auto encoded = model.encode(features.unsqueeze(0)).squeeze(0);
  expect_near(encoded, wanted["encoded"]);
  Cache cache = model.make_cache();
  model.begin(encoded, cache);
  const auto hidden =
      model.decode(at::tensor({6, 3, 1}, at::kLong), {{3, &cache}});
  expect_near(model.logits(hidden), wanted["logits"]);
}

TEST(Folder, HasItsSettingsInAnotherFile) {
  EXPECT_EQ(folder_of(kFolder.string()), kFolder);
  EXPECT_EQ(folder_of("a/b/model.bin"), fs::path("a/b"));
  const Vocabulary words(kFolder);
  EXPECT_EQ(words.suppressed, std::vector<std::int64_t>{3});
  EXPECT_EQ(words.suppressed_at_begin, std::vector<std::int64_t>{5});
  EXPECT_EQ(words.start, 6);
}

TEST(Folder, HasNamesForEveryArray) {
  EXPECT_EQ(
      names_in_transformers("decoder/layer_2/attention/linear_1/bias"),
      (std::vector<std::string>{"decoder.layers.2.encoder_attn.k_proj.bias",
                                "decoder.layers.2.encoder_attn.v_proj.bias"}));
  EXPECT_EQ(names_in_transformers("encoder/layer_norm/gamma"),
            std::vector<std::string>{"encoder.layer_norm.weight"});
  for (const char* strange :
       {"", "encoder", "encoder/conv1", "encoder/layer_1/weight",
        "encoder/layer_1/other/weight", "encoder/conv3/weight"}) {
    EXPECT_TRUE(names_in_transformers(strange).empty()) << strange;
  }
  const auto arrays = Arrays::open(kFolder);
  EXPECT_FALSE(arrays->has("encoder/layer_2/ffn/linear_0/weight"));
  EXPECT_THROW((void)arrays->shape("encoder/layer_2/ffn/linear_0/weight"),
               Error);
  EXPECT_THROW((void)arrays->floats("encoder/strange"), Error);
  EXPECT_GT(arrays->size(), 10'000);
}

TEST(Folder, ThatIsNoneIsRefused) {
  const fs::path empty = fs::path(::testing::TempDir()) / "no_whisper";
  fs::create_directories(empty);
  EXPECT_THROW((void)Arrays::open(empty), Error);
  EXPECT_THROW((void)Arrays::open(empty / "model.bin"), Error);
}

}  // namespace
}  // namespace penstock::whisper
