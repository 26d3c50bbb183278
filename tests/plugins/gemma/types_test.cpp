// Models whose matrices are all of one GGUF type, K types among them in every
// place, against transformers on what gguf-py dequantises. Also a model in
// parts, and keys that newer files have.
#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iostream>

#include "penstock/parallel.h"
#include "tests/plugins/gemma/support.h"
#include "tests/plugins/gemma/typed_model.h"

namespace penstock::gemma {
namespace {

namespace fs = std::filesystem;
using penstock::testing::GgufBuilder;
using Bytes = std::vector<std::byte>;

class Types : public ::testing::TestWithParam<GgufType> {
 protected:
  void SetUp() override {
    set_threads(1);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string write(const std::string& name,
                                  const GgufBuilder& file) const {
    const Bytes bytes = file.build();
    std::ofstream(folder_ / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    return (folder_ / name).string();
  }
  /// Greedy ids after each prompt, and the last logits, as transformers'.
  static void expect_golden(const std::string& model,
                            const std::string& engine) {
    Driven driven(model, {.engine = engine, .dtype = "fp32"});
    const auto golden = golden_json("types/types.json");
    for (const auto& run : golden[GetParam().name]) {
      const auto prompt = run["prompt"].get<Tokens>();
      const auto ids = run["ids"].get<Tokens>();
      Tokens all = prompt;
      all.insert(all.end(), ids.begin(), ids.end());
      Want want;
      want.from = std::ssize(prompt) - 1;
      want.full = true;
      const auto full = driven.run(all, want, 7).full;
      const auto best = full.argmax(1);
      Tokens got;
      for (std::int64_t i = 0; i < std::ssize(ids); ++i) {
        got.push_back(best[i].item<std::int64_t>());
      }
      EXPECT_EQ(compare_greedy(got, ids, run["margins"], GetParam().name), "");
      const auto wanted =
          at::tensor(run["logits"].get<std::vector<double>>()).to(at::kFloat);
      EXPECT_LE((full[full.size(0) - 1] - wanted).abs().max().item<double>(),
                5e-4);
    }
  }

  fs::path folder_ = fs::path(::testing::TempDir()) / "types";
};

TEST_P(Types, RunAsTransformersOnWhatTheyDequantiseTo) {
  const std::string model = write("one.gguf", typed_model(GetParam()));
  for (const std::string engine : {"reference", "native"}) {
    expect_golden(model, engine);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Types, ::testing::ValuesIn(gguf_types()),
                         [](const auto& test) { return test.param.name; });

class Parts : public Types {};

/// Three parts, the middle one without tensors; which layers slide as bools.
TEST_P(Parts, AreOneModel) {
  std::vector<GgufBuilder> files(3);
  files[0] = typed_keys();
  files[0].raw("gemma3.attention.sliding_window_pattern", GgufBuilder::kArray,
               penstock::testing::ByteWriter()
                   .number<std::uint32_t>(7)  // of bools
                   .number<std::uint64_t>(2)
                   .number(true)
                   .number(false)
                   .bytes());
  for (std::size_t i = 0; i < 3; ++i) {
    files[i]
        .number<std::uint16_t>("split.no", static_cast<std::uint16_t>(i))
        .number<std::uint16_t>("split.count", 3);
  }
  std::size_t index = 0;
  for (auto& tensor : typed_tensors(GetParam())) {
    files[index++ % 2 * 2].tensor(std::move(tensor));
  }
  const std::string first = write("m-00001-of-00003.gguf", files[0]);
  (void)write("m-00002-of-00003.gguf", files[1]);
  const std::string last = write("m-00003-of-00003.gguf", files[2]);
  expect_golden(first, "reference");
  expect_golden(last, "reference");  // any of them names the model
  expect_golden(folder_.string(), "reference");
}

INSTANTIATE_TEST_SUITE_P(Q4K, Parts, ::testing::Values(gguf_types()[11]));

}  // namespace
}  // namespace penstock::gemma
