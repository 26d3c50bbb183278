// The CUDA engine on the block simulator with quantised weights kept as they
// are, against the reference engine on the same file: models of each kind of
// codes, of several kinds, and what memory they take.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "gemma/cuda/open.h"
#include "penstock/parallel.h"
#include "tests/plugins/gemma/cuda/alike.h"
#include "tests/plugins/gemma/cuda/apis.h"
#include "tests/plugins/gemma/cuda/sim_engine.h"
#include "tests/plugins/gemma/support.h"
#include "tests/plugins/gemma/typed_model.h"

namespace penstock::gemma::cuda {
namespace {

using penstock::testing::GgufBuilder;

CudaEngine::Options coded(bool keeps_codes = true) {
  return {.type = NumberType::kBf16,
          .keeps_codes = keeps_codes,
          .slots = 2,
          .chunk = 64,
          .rows = 64};
}

class Quantised : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { set_threads(1); }
  void TearDown() override { set_threads(0); }
};

/// Every score of a prompt, by tensor cores, and of tokens behind it.
at::Tensor scores(Forward& forward) {
  Sequences all(forward, 1);
  for (std::int64_t i = 0; i < 24; ++i) {
    all.at(0).tokens.push_back((i * 37 + 5) % 64);
  }
  all.at(0).want = {.from = 0, .full = true, .ids = {}};
  std::vector<at::Tensor> parts;
  for (const std::int64_t count : {18, 1, 1, 4}) {
    parts.push_back(all.run({count}).full);
  }
  return at::cat(parts);
}

/// Not further from the file's exact numbers than bf16 weights are; and the
/// best token is the same wherever it is ahead by more than that.
void expect_near_reference(const std::string& model) {
  const auto reference = [&](const std::string& dtype) {
    Driven driven(model, {.engine = "reference", .dtype = dtype});
    return scores(driven.forward());
  };
  EngineForward cuda(
      sim_engine(model, coded(), std::make_shared<gpu::SimulatedApi>()));
  const at::Tensor got = scores(cuda);
  const at::Tensor exact = reference("fp32");
  const at::Tensor rounded = reference("bf16");
  const double apart = worst(got, exact);
  std::cout << "from f32: " << apart << ", the reference's bf16 "
            << worst(rounded, exact) << "\n";
  // The largest of 1,536 differences is a matter of chance, their mean is not.
  EXPECT_LE(apart, 1.5 * worst(rounded, exact));
  EXPECT_LE((got - exact).abs().mean().item<double>(),
            (rounded - exact).abs().mean().item<double>());
  const auto best = std::get<0>(exact.topk(2, 1));
  for (std::int64_t i = 0; i < exact.size(0); ++i) {
    const auto margin = (best[i][0] - best[i][1]).item<double>();
    if (margin <= 2 * apart) continue;
    EXPECT_TRUE(got[i].argmax().equal(exact[i].argmax())) << "token " << i;
  }
}

TEST_P(Quantised, WritesWhatTheReferenceWrites) {
  const TypedFile file(typed_model(gguf_type(GetParam())));
  expect_near_reference(file.path());
}

INSTANTIATE_TEST_SUITE_P(All, Quantised,
                         ::testing::Values("Q8_0", "Q4_0", "Q4_K", "Q6_K"),
                         [](const auto& test) { return test.param; });

class SomeQuantised : public Quantised {};

/// As files of mixed types: embeddings in BF16, other values in a stack, one
/// matrix of five bits.
TEST_F(SomeQuantised, MatricesMayBeOfSeveralTypes) {
  GgufBuilder file = typed_keys();
  file.number<std::uint32_t>("gemma3.attention.sliding_window_pattern", 2);
  for (auto& tensor : typed_tensors(gguf_type("Q4_K"))) {
    const auto become = [&](const std::string& name) {
      const GgufType type = gguf_type(name);
      tensor.type = type.code;
      tensor.data = typed_numbers(type, 99, tensor.dims[0] * tensor.dims[1]);
    };
    if (tensor.name == "token_embd.weight") become("BF16");
    if (tensor.name.ends_with("attn_v.weight")) become("Q6_K");
    if (tensor.name == "blk.1.ffn_down.weight") become("Q5_0");
    file.tensor(std::move(tensor));
  }
  expect_near_reference(TypedFile(file).path());
}

TEST_F(SomeQuantised, TakesTheMemoryThatIsForeseen) {
  const TypedFile file(typed_model(gguf_type("Q4_K")));
  const std::string model = file.path();
  const Checkpoint checkpoint(model);
  std::vector<std::int64_t> weights;
  for (const bool keeps_codes : {true, false}) {
    auto api = std::make_shared<gpu::RecordingApi>(
        std::make_shared<gpu::SimulatedApi>());
    const auto engine = sim_engine(model, coded(keeps_codes), api);
    EXPECT_EQ(engine->dtype(), keeps_codes ? "int8" : "bf16");
    const MemoryNeed need =
        CudaEngine::memory(checkpoint, checkpoint.config(), coded(keeps_codes),
                           api->facts().multiprocessors);
    const DeviceModel alone(*api, checkpoint, {NumberType::kBf16, keeps_codes});
    std::int64_t taken = 0;
    auto calls = api->take();
    // The last two allocations on the device are the second model's.
    int left = 2;
    for (auto call = calls.rbegin(); call != calls.rend() && left > 0; ++call) {
      if (call->what != "allocate") continue;
      taken += static_cast<std::int64_t>(call->bytes);
      --left;
    }
    EXPECT_EQ(taken, need.weights);
    weights.push_back(need.weights);
  }
  std::cout << weights[0] << " bytes of weights, as bf16 " << weights[1]
            << "\n";
  // 4 bits and two halves for 32 columns, beside 16 bits.
  EXPECT_LT(3 * weights[0], weights[1]);
}

/// Codes of the file would be read twice; numbers between codes would not.
TEST_F(SomeQuantised, HeadsAreScreenedWhereTheyAreNumbers) {
  CudaEngine::Options options = coded();
  options.screens = true;
  const auto open = [&](const TypedFile& of) {
    return sim_engine(of.path(), options,
                      std::make_shared<gpu::SimulatedApi>());
  };
  GgufBuilder file = typed_keys();
  for (auto& tensor : typed_tensors(gguf_type("Q8_0"))) {
    if (tensor.name == "token_embd.weight") {
      const GgufType type = gguf_type("BF16");
      tensor.type = type.code;
      tensor.data = typed_numbers(type, 99, tensor.dims[0] * tensor.dims[1]);
    }
    file.tensor(std::move(tensor));
  }
  EXPECT_EQ(open(TypedFile(file))->dtype(), "int8");
  const TypedFile model(typed_model(gguf_type("Q8_0")));
  try {
    (void)open(model);
    FAIL() << "was screened";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUsage);
    EXPECT_THAT(error.what(),
                ::testing::HasSubstr("its weights are codes of the file"));
  }
  options.keeps_codes = false;
  EXPECT_EQ(open(model)->dtype(), "bf16");
}

/// int8 as the param says it, and auto, of a file that has codes.
TEST_F(SomeQuantised, FilesAreKeptWhereThatIsMeant) {
  const TypedFile file(typed_model(gguf_type("Q4_0")));
  const Checkpoint model(file.path());
  const auto keeps = [&](Dtype dtype, bool has_bf16) {
    return weight_choice(model, dtype, has_bf16).keeps_codes;
  };
  EXPECT_TRUE(keeps(Dtype::kAuto, true));
  EXPECT_TRUE(keeps(Dtype::kInt8, true));
  EXPECT_FALSE(keeps(Dtype::kBf16, true));
  EXPECT_FALSE(keeps(Dtype::kFp32, true));
  EXPECT_FALSE(keeps(Dtype::kAuto, false)) << "products of codes are bf16's";
}

}  // namespace
}  // namespace penstock::gemma::cuda
