// The engine with a screened head answers as without one, to the bit, asks the
// device for no more, and says where it cannot.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/plugins/gemma/cuda/ahead_runs.h"
#include "tests/plugins/gemma/cuda/apis.h"
#include "tests/plugins/gemma/cuda/sim_engine.h"
#include "tests/plugins/gemma/support.h"

namespace penstock::gemma::cuda {
namespace {

using core::SampleParams;
using gpu::FailingApi;
using gpu::RecordingApi;
using gpu::SimulatedApi;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using Names = std::vector<std::string>;

CudaEngine::Options screening(bool screens = true) {
  return {.type = NumberType::kBf16,
          .slots = 9,
          .chunk = 64,
          .rows = 64,
          .runs_ahead = false,
          .screens = screens};
}

class ScreenedHead : public OnOneThread {};

/// What decoding rows are answered, by step.
std::vector<Scores> decode(const std::string& model, bool screens,
                           std::size_t sequences, const Want& want) {
  EngineForward cuda(
      sim_engine(model, screening(screens), std::make_shared<SimulatedApi>()));
  Sequences all(cuda, sequences);
  for (std::size_t i = 0; i < sequences; ++i) {
    all.at(i).tokens.assign(3 + i, 5 + static_cast<std::int64_t>(i));
    all.at(i).want = want;
  }
  std::vector<Scores> out;
  for (int step = 0; step < 3; ++step) {
    out.push_back(all.run_rest());
    for (std::size_t i = 0; i < sequences; ++i) {
      const auto row = static_cast<std::int64_t>(i);
      all.at(i).tokens.push_back(out.back().ids[row][0].item<std::int64_t>());
    }
  }
  return out;
}

void expect_same(const std::string& model, std::size_t sequences,
                 const Want& want) {
  const auto got = decode(model, true, sequences, want);
  const auto wanted = decode(model, false, sequences, want);
  for (std::size_t i = 0; i < got.size(); ++i) {
    SCOPED_TRACE(::testing::Message() << sequences << " rows, step " << i);
    EXPECT_TRUE(got[i].ids.equal(wanted[i].ids));
    EXPECT_TRUE(got[i].values.equal(wanted[i].values));
    if (want.norm) {
      EXPECT_TRUE(got[i].norm.equal(wanted[i].norm));
    }
    if (!want.ids.empty()) {
      EXPECT_TRUE(got[i].at.equal(wanted[i].at));
    }
  }
}

TEST_F(ScreenedHead, AnswersAsTheWholeOneDoes) {
  for (const std::size_t rows : {1, 3, 8, 9}) {
    expect_same(tiny("scaled.gguf"), rows, {.top = 1, .ids = {}});
    expect_same(tiny("scaled.gguf"), rows, {.top = 70, .ids = {7, 300}});
  }
  expect_same(tiny("scaled.gguf"), 2, {.top = 2, .norm = true, .ids = {}});
  expect_same(tiny("untied.gguf"), 2, {.top = 8, .ids = {}});
}

/// All that requests change of scores, drawn on the device ahead of its host.
TEST_F(ScreenedHead, WritesWholeAnswersAlike) {
  SampleParams penalties = sampled(5);
  penalties.repetition_penalty = 1.5;
  penalties.frequency_penalty = 0.5;
  SampleParams changed = greedy();
  changed.logit_bias = {"320:6", "321:-3"};
  changed.banned_ids = {17, 400};
  SampleParams told = greedy(5);
  told.logprobs = 2;
  const std::vector<AheadHost::Asked> asked{
      {prompt(0), penalties},
      {prompt(7), changed},
      {.prompt = prompt(9), .params = sampled(6), .begin = 2, .replaced = 20},
      {.prompt = prompt(30), .params = told, .begin = 3}};
  const Ran plain = run(asked, {.type = NumberType::kBf16});
  for (const bool is_late : {false, true}) {
    const Ran screened =
        run(asked,
            {.type = NumberType::kBf16, .is_late = is_late, .screens = true});
    EXPECT_EQ(screened.texts, plain.texts);
    EXPECT_GT(screened.counts.taken, 0);
  }
}

/// What is asked of the device in a step of rows that want so much; the first
/// one captures.
std::vector<Names> asked_of(std::size_t rows, const Want& want) {
  auto api = std::make_shared<RecordingApi>(std::make_shared<SimulatedApi>());
  EngineForward cuda(sim_engine(tiny("scaled.gguf"), screening(), api));
  Sequences all(cuda, rows);
  for (std::size_t i = 0; i < rows; ++i) {
    all.at(i).tokens = {2, 300 + static_cast<std::int64_t>(i)};
    all.at(i).want = want;
  }
  std::vector<Names> out;
  (void)all.run_rest();
  for (int step = 0; step < 2; ++step) {
    (void)api->take();
    for (std::size_t i = 0; i < rows; ++i) all.at(i).tokens.push_back(301);
    (void)all.run_rest();
    out.push_back(gpu::names(api->take()));
  }
  return out;
}

TEST_F(ScreenedHead, IsOneLaunchMoreInTheSameGraph) {
  const auto asked = asked_of(3, {.top = 1, .ids = {}});
  EXPECT_THAT(asked[0], Not(Contains("allocate")));
  EXPECT_THAT(asked[0], Not(Contains("head")));
  const Names last(asked[0].end() - 6, asked[0].end());
  EXPECT_EQ(last, (Names{"screen", "refine", "select", "copy_out", "replay",
                         "wait"}));
  EXPECT_EQ(asked[1], (Names{"replay", "wait"}));
}

/// Every score is in a norm; more rows go by tiles.
TEST_F(ScreenedHead, IsLeftOutWhereAllScoresCount) {
  for (const auto& asked : {asked_of(2, {.top = 1, .norm = true, .ids = {}}),
                            asked_of(9, {.top = 1, .ids = {}}),
                            asked_of(1, {.full = true, .ids = {}})}) {
    EXPECT_THAT(asked[0], Not(Contains("screen")));
    EXPECT_THAT(asked[0], Not(Contains("refine")));
  }
}

std::string refusal(const std::string& model, CudaEngine::Options options) {
  try {
    (void)sim_engine(model, options, std::make_shared<SimulatedApi>());
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUsage);
    return error.what();
  }
  return "";
}

TEST_F(ScreenedHead, IsRefusedWhereItCannotBe) {
  CudaEngine::Options options = screening();
  options.type = NumberType::kF32;
  EXPECT_THAT(refusal(tiny("scaled.gguf"), options),
              HasSubstr("step: screened: the model's head cannot be screened: "
                        "its weights are not bf16"));
  options = screening();
  options.is_one_kernel = true;
  EXPECT_THAT(refusal(tiny("scaled.gguf"), options),
              HasSubstr("one kernel for a step reads all of it"));
}

/// Codes are weights that must fit.
TEST_F(ScreenedHead, IsCountedInMemory) {
  const Checkpoint model(tiny("scaled.gguf"));
  const auto weights = [&](bool screens) {
    return CudaEngine::memory(model, model.config(), screening(screens), 4)
        .weights;
  };
  const Config& c = model.config();
  EXPECT_GE(weights(true) - weights(false), c.vocab * (c.hidden + 8));
  EXPECT_LE(weights(true) - weights(false), c.vocab * (c.hidden + 8) + 3 * 256);
  auto device = std::make_shared<SimulatedApi>();
  for (int failed = 0;; ++failed) {
    try {
      (void)sim_engine(tiny("scaled.gguf"), screening(),
                       std::make_shared<FailingApi>(device, failed));
      EXPECT_GT(failed, 20);
      break;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kRetry);
    }
    ASSERT_EQ(device->blocks(), 0) << "after failure of allocation " << failed;
  }
}

}  // namespace
}  // namespace penstock::gemma::cuda
