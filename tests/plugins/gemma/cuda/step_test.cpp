// A step by one kernel answers as the graph of many does, to the bit, asks the
// device for as little, and joins the step ahead.
#include <ATen/TensorOperators.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>

#include "tests/plugins/gemma/cuda/ahead_host.h"
#include "tests/plugins/gemma/cuda/apis.h"
#include "tests/plugins/gemma/cuda/sim_engine.h"
#include "tests/plugins/gemma/cuda/step_runs.h"
#include "tests/plugins/gemma/support.h"
#include "tests/plugins/gemma/typed_model.h"

namespace penstock::gemma::cuda {
namespace {

using core::SampleParams;
using gpu::FailingApi;
using gpu::RecordingApi;
using gpu::SimulatedApi;
using ::testing::HasSubstr;

TEST_F(OneKernel, AnswersAsManyDo) {
  const Want want{.top = 3, .norm = true, .ids = {7, 300}};
  for (const std::size_t rows : {1, 3, 8}) {
    expect_same(tiny("scaled.gguf"), {}, rows, 2, want);
  }
  expect_same(tiny("scaled.gguf"), {.type = NumberType::kBf16}, 3, 2, want);
}

/// Several heads of keys, each with a counter of its own.
TEST_F(OneKernel, AnswersAsManyDoOfOtherModels) {
  for (const char* name : {"tiny_gqa.gguf", "untied.gguf"}) {
    expect_same(tiny(name), {.type = NumberType::kBf16}, 2, 2,
                {.top = 72, .ids = {}});
  }
}

/// Each matrix says what its weights are.
TEST_F(OneKernel, AnswersAsManyDoOfQuantisedWeights) {
  penstock::testing::GgufBuilder file = typed_keys();
  file.number<std::uint32_t>("gemma3.attention.sliding_window_pattern", 2);
  for (auto& tensor : typed_tensors(gguf_type("Q4_0"))) {
    const bool is_byte = tensor.name.ends_with("attn_q.weight") ||
                         tensor.name == "blk.1.ffn_down.weight";
    if (is_byte || tensor.name == "token_embd.weight") {
      const GgufType type = gguf_type(is_byte ? "Q8_0" : "BF16");
      tensor.type = type.code;
      tensor.data = typed_numbers(type, 99, tensor.dims[0] * tensor.dims[1]);
    }
    file.tensor(std::move(tensor));
  }
  const TypedFile model(file);
  expect_same(model.path(), {.type = NumberType::kBf16, .keeps_codes = true}, 1,
              3, {.top = 2, .ids = {}});
}

/// However many blocks there are: none waits for one that is not there.
TEST_F(OneKernel, EndsWithAnyNumberOfBlocks) {
  for (const int blocks : {1, 2, 5, 16}) {
    expect_same(tiny("scaled.gguf"), {.device = {.blocks_at_once = blocks}}, 2,
                3, {.top = 1, .ids = {}});
  }
}

TEST_F(OneKernel, IsRefusedWhereNoBlocksAreThereAtOnce) {
  try {
    (void)sim_engine(tiny("scaled.gguf"), step_options({}),
                     std::make_shared<SimulatedApi>(
                         SimulatedApi::Options{.blocks_at_once = 0}));
    FAIL() << "runs where blocks cannot wait for each other";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnavailable);
    EXPECT_THAT(error.what(), HasSubstr("step: persistent: simulated device "
                                        "cannot have blocks that wait"));
    EXPECT_THAT(error.what(), HasSubstr("use step: graph"));
  }
}

/// Its params are more than drivers before R530 take; the graph's are not.
TEST_F(OneKernel, IsRefusedByOldDrivers) {
  const auto device =
      std::make_shared<SimulatedApi>(SimulatedApi::Options{.driver = 12000});
  try {
    (void)sim_engine(tiny("scaled.gguf"), step_options({}), device);
    FAIL() << "launches what the driver does not know";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnavailable);
    EXPECT_THAT(
        error.what(),
        HasSubstr("step: persistent: the driver runs CUDA 12.0 at most"));
    EXPECT_THAT(error.what(), HasSubstr("or use step: graph"));
  }
  EXPECT_NE(sim_engine(tiny("scaled.gguf"),
                       step_options({.is_one_kernel = false}), device),
            nullptr);
}

TEST_F(OneKernel, IsRefusedForModelsOfMoreLayers) {
  Config config = Checkpoint(tiny("scaled.gguf")).config();
  EXPECT_EQ(CudaEngine::cannot_run(config, NumberType::kF32, true), nullptr);
  config.layers = kMostStepLayers + 1;
  EXPECT_STREQ(CudaEngine::cannot_run(config, NumberType::kF32, true),
               "it has more than 48 layers, and their params no room");
  EXPECT_EQ(CudaEngine::cannot_run(config, NumberType::kF32), nullptr);
}

TEST_F(OneKernel, IsOneLaunchBetweenTwoCopies) {
  auto api = std::make_shared<RecordingApi>(std::make_shared<SimulatedApi>());
  EngineForward cuda(sim_engine(tiny("scaled.gguf"), step_options({}), api));
  Sequences all(cuda, 3);
  for (std::size_t i = 0; i < 3; ++i) {
    all.at(i).tokens = {2, 300 + static_cast<std::int64_t>(i)};
    all.at(i).want = {.top = 1, .ids = {}};
  }
  for (int step = 0; step < 4; ++step) {
    const Scores scores = all.run_rest();
    const auto calls = api->take();
    std::vector<std::string> captured;
    std::vector<std::string> asked;
    for (const auto& call : calls) {
      (call.graph == 0 ? asked : captured).push_back(call.what);
    }
    using Names = std::vector<std::string>;
    // The first is the prompts', which launches.
    if (step == 1) {
      EXPECT_EQ(captured, (Names{"copy_in", "step", "copy_out"}));
    }
    if (step > 1) {
      EXPECT_EQ(captured, Names{});
      EXPECT_EQ(asked, (Names{"replay", "wait"}));
    }
    for (std::size_t i = 0; i < 3; ++i) {
      const auto row = static_cast<std::int64_t>(i);
      all.at(i).tokens.push_back(scores.ids[row][0].item<std::int64_t>());
    }
  }
}

/// More rows than its blocks share a read of weights for go as ever.
TEST_F(OneKernel, LeavesManyRowsToManyKernels) {
  auto api = std::make_shared<RecordingApi>(std::make_shared<SimulatedApi>());
  CudaEngine::Options options = step_options({});
  options.slots = 9;
  EngineForward cuda(sim_engine(tiny("scaled.gguf"), options, api));
  Sequences all(cuda, 9);
  for (std::size_t i = 0; i < 9; ++i) {
    all.at(i).tokens = {2, 300};
    all.at(i).want = {.top = 1, .ids = {}};
  }
  (void)all.run_rest();
  for (std::size_t i = 0; i < 9; ++i) all.at(i).tokens.push_back(301);
  (void)all.run_rest();
  const auto asked = gpu::names(api->take());
  EXPECT_THAT(asked, ::testing::Contains("attention"));
  EXPECT_THAT(asked, ::testing::Not(::testing::Contains("step")));
}

TEST_F(OneKernel, GivesAllBackWhereMemoryIsShort) {
  auto device = std::make_shared<SimulatedApi>();
  int failed = 0;
  for (;; ++failed) {
    auto api = std::make_shared<FailingApi>(device, failed);
    try {
      const auto engine =
          sim_engine(tiny("scaled.gguf"), step_options({}), api);
      break;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kRetry);
    }
    ASSERT_EQ(device->blocks(), 0) << "after failure of allocation " << failed;
  }
  EXPECT_GT(failed, 20);
  EXPECT_EQ(device->blocks(), 0);
}

struct Answered {
  std::map<std::pair<int, int>, Tokens> texts;
  AheadCounts counts;
};

Answered answer(const StepCase& how) {
  auto engine = sim_engine(tiny("scaled.gguf"), step_options(how),
                           std::make_shared<SimulatedApi>(how.device));
  const CudaEngine& known = *engine;
  EngineForward forward(std::move(engine));
  AheadHost host(forward);
  SampleParams greedy;
  greedy.max_new_tokens = 6;
  greedy.ignore_eos = true;
  SampleParams sampled = greedy;
  sampled.temperature = 1;
  sampled.top_k = 64;
  sampled.seed = 3;
  sampled.repetition_penalty = 1.3;
  sampled.max_new_tokens = 9;
  host.add({.prompt = {2, 301, 302}, .params = greedy});
  host.add({.prompt = {2, 310}, .params = sampled, .begin = 2});
  host.add({.prompt = {2, 320}, .params = greedy, .begin = 3, .replaced = 30});
  host.run();
  return {host.texts(), known.ahead_counts()};
}

/// Its tables and answers are there twice as well, and the tokens drawn.
TEST_F(OneKernel, RunsAStepAhead) {
  const Answered plain = answer({.is_one_kernel = false});
  for (const bool is_late : {false, true}) {
    const Answered ahead =
        answer({.runs_ahead = true, .device = {.is_late = is_late}});
    EXPECT_EQ(ahead.texts, plain.texts);
    EXPECT_GT(ahead.counts.taken, 6);
    std::cout << "rows begun " << ahead.counts.begun << ", taken "
              << ahead.counts.taken << ", wrong " << ahead.counts.wrong << "\n";
  }
  EXPECT_EQ(answer({}).texts, plain.texts);
}

}  // namespace
}  // namespace penstock::gemma::cuda
