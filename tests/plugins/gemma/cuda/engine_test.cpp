// The CUDA engine on the block simulator against the reference engine: whole
// steps of tiny models, in every way of running.
#include "gemma/cuda/engine.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>
#include <random>

#include "penstock/parallel.h"
#include "penstock/testing/conformance.h"
#include "tests/plugins/gemma/cuda/alike.h"
#include "tests/plugins/gemma/cuda/sim_engine.h"
#include "tests/plugins/gemma/support.h"

namespace penstock::gemma::cuda {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<gpu::SimulatedApi> device() {
  return std::make_shared<gpu::SimulatedApi>();
}

CudaEngine::Options small(NumberType type = NumberType::kF32) {
  return {.type = type, .slots = 4, .chunk = 64, .rows = 64};
}

EngineForward cuda_forward(const std::string& name,
                           const CudaEngine::Options& options) {
  return EngineForward(sim_engine(tiny(name + ".gguf"), options, device()));
}

Driven reference(const std::string& name, bool cache,
                 const std::string& dtype = "fp32") {
  return {
      tiny(name + ".gguf"),
      {.engine = "reference", .dtype = dtype, .cache = cache, .logits = false}};
}

Tokens sequence_of(const std::string& name) {
  return golden_json("tiny/" + name + ".json")["sequence"].get<Tokens>();
}

class OnCuda : public ::testing::Test {
 protected:
  void SetUp() override { set_threads(1); }
  void TearDown() override { set_threads(0); }
};

/// Two layers, windows of six tokens, a context of two pages.
TEST_F(OnCuda, Conforms) {
  const Tokens sequence = sequence_of("tiny");
  const std::vector<Tokens> prompts{{sequence.begin(), sequence.begin() + 9},
                                    {sequence.begin(), sequence.begin() + 15}};
  auto cuda = cuda_forward("scaled", small());
  auto uncached = reference("scaled", /*cache=*/false);
  const auto result = penstock::testing::check_forward(
      cuda, uncached.forward(), {.prompts = prompts, .tolerance = kTolerance});
  EXPECT_TRUE(result.failures.empty()) << result.failures.front();
  std::cout << result.comparisons << " comparisons, worst " << result.worst
            << "\n";
}

/// What the transformers library gives. 120 tokens, in two pages, go through
/// the layers in two parts.
TEST_F(OnCuda, GivesTransformersLogitsAtEveryPosition) {
  for (const std::string name : {"tiny", "tiny_gqa"}) {
    auto cuda = cuda_forward(name, small());
    Sequences all(cuda, 1);
    all.at(0).tokens = sequence_of(name);
    all.at(0).want = {.from = 0, .full = true, .ids = {}};
    const auto wanted =
        golden_floats("tiny/" + name + ".logits.f32", {120, 576});
    // As tiny_test.cpp explains.
    EXPECT_LE(worst(all.run_rest().full, wanted), 5e-4) << name;
  }
}

/// Four sequences that begin at different times, step by step in both engines,
/// each token the best of the last; a fork, a cut and a late prompt between.
TEST_F(OnCuda, WritesWhatTheReferenceWrites) {
  auto cuda = cuda_forward("tiny", small());
  auto driven = reference("tiny", /*cache=*/true);
  const Tokens text = sequence_of("tiny");
  Sequences ours(cuda, 4);
  Sequences theirs(driven.forward(), 4);
  const auto begin = [&](std::size_t i, std::int64_t first,
                         std::int64_t count) {
    ours.at(i).tokens = {text.begin() + first, text.begin() + first + count};
    ours.at(i).want = {.top = 2, .norm = i == 1, .ids = {}};
    theirs.at(i).tokens = ours.at(i).tokens;
    theirs.at(i).want = ours.at(i).want;
  };
  begin(0, 0, 53);  // over the end of a page later on
  begin(1, 60, 9);
  int compared = 0;
  for (int step = 0; step < 26; ++step) {
    if (step == 4) begin(2, 20, 25);
    if (step == 9) {
      cuda.copy(0, 3);
      driven.forward().copy(0, 3);
      for (Sequences* each : {&ours, &theirs}) {
        each->at(3).tokens = each->at(0).tokens;
        each->at(3).tokens.back() = 77;  // not in the cache yet
        each->at(3).cached = each->at(0).cached;
        each->at(3).want.top = 2;
      }
    }
    if (step == 18) {
      const std::int64_t length = ours.at(1).cached - 12;
      cuda.truncate(1, length);
      driven.forward().truncate(1, length);
      for (Sequences* each : {&ours, &theirs}) {
        each->at(1).cached = length;
        each->at(1).tokens.resize(static_cast<std::size_t>(length) + 1);
      }
    }
    const Scores got = ours.run_rest();
    const Scores wanted = theirs.run_rest();
    expect_alike(got, wanted);
    if (::testing::Test::HasFailure()) FAIL() << "step " << step;
    std::int64_t row = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      if (ours.at(i).tokens.empty()) continue;
      const auto best = got.ids[row++][0].item<std::int64_t>();
      ours.at(i).tokens.push_back(best);
      theirs.at(i).tokens.push_back(best);
      ++compared;
    }
  }
  EXPECT_GT(compared, 80);
}

/// Every kind of question, of rows that ask different ones.
TEST_F(OnCuda, AnswersEveryWantAsTheReference) {
  const Tokens text = sequence_of("tiny");
  const auto some = std::make_shared<TokenSet>(Tokens{3, 77, 300, 575});
  Tokens many(500);
  for (std::size_t i = 0; i < many.size(); ++i) {
    many[i] = static_cast<std::int64_t>(i) + 40;
  }
  std::vector<std::uint64_t> bits(9, 0x5555555555555555U);
  const auto even = std::make_shared<TokenSet>(bits);
  const std::vector<std::pair<std::string, std::vector<Want>>> cases{
      {"nothing", {{.from = kNone, .ids = {}}, {.from = kNone, .ids = {}}}},
      {"best", {{.top = 1, .ids = {}}, {.top = 5, .ids = {}}}},
      {"norm",
       {{.norm = true, .ids = {}}, {.top = 64, .norm = true, .ids = {}}}},
      {"ids", {{.ids = {5, 575, 5}}, {.top = 1, .ids = {0, 0, 9}}}},
      {"follow",
       {{.from = 0, .norm = true, .follow = true, .ids = {}},
        {.top = 3, .ids = {}}}},
      {"allowed",
       {{.top = 8, .norm = true, .ids = {77, 78}, .allowed = {some}},
        {.from = 10,
         .top = 2,
         .ids = {4, 5},
         .allowed = {even, nullptr, some}}}},
      {"more than kernels find", {{.top = 100, .ids = many}, {.ids = many}}},
      {"full",
       {{.from = 3, .top = 2, .full = true, .ids = {}},
        {.ids = {}, .allowed = {even}}}},
      {"hidden",
       {{.from = 0, .hidden = true, .ids = {}},
        {.from = 20, .top = 1, .ids = {}}}},
      {"hidden alone",
       {{.from = 0, .hidden = true, .ids = {}}, {.from = kNone, .ids = {}}}}};
  auto cuda = cuda_forward("untied", small());
  auto driven = reference("untied", /*cache=*/true);
  for (const auto& [name, wants] : cases) {
    SCOPED_TRACE(name);
    Sequences ours(cuda, 2);
    Sequences theirs(driven.forward(), 2);
    for (Sequences* each : {&ours, &theirs}) {
      for (std::size_t i = 0; i < 2; ++i) {
        each->at(i).tokens = {text.begin(), text.begin() + 24};
        each->at(i).want = wants[i];
      }
    }
    expect_alike(ours.run({24, 24}), theirs.run({24, 24}));
    // And one token of each, which may be a graph.
    for (Sequences* each : {&ours, &theirs}) {
      for (std::size_t i = 0; i < 2; ++i) {
        each->at(i).tokens.push_back(text[24 + i]);
        if (each->at(i).want.from >= 0) each->at(i).want.from = 24;
      }
    }
    expect_alike(ours.run({1, 1}), theirs.run({1, 1}));
    for (const int slot : {0, 1}) {
      cuda.release(slot);
      driven.forward().release(slot);
    }
  }
}

/// bf16 weights, cache and products; of many rows by tensor cores. Not further
/// from f32 than the reference's bf16, which rounds residuals as well.
TEST_F(OnCuda, ComputesInBf16) {
  const Tokens text = sequence_of("tiny");
  const auto scores = [&](Forward& forward) {
    Sequences all(forward, 2);
    for (const std::size_t i : {0, 1}) {
      all.at(i).tokens = {text.begin() + static_cast<std::int64_t>(i),
                          text.begin() + 60};
      all.at(i).want = {.from = 0, .full = true, .ids = {}};
    }
    const at::Tensor prompt = all.run({39, 3}).full;
    const at::Tensor mixed = all.run({1, 30}).full;
    all.at(1).want.from = 50;  // the last layer of few rows, of many tokens
    return at::cat({prompt, mixed, all.run({2, 26}).full});
  };
  auto cuda = cuda_forward("scaled", small(NumberType::kBf16));
  const at::Tensor got = scores(cuda);
  const at::Tensor theirs =
      scores(reference("scaled", /*cache=*/true, "bf16").forward());
  const at::Tensor exact =
      scores(reference("scaled", /*cache=*/true).forward());
  std::cout << "from f32: " << worst(got, exact) << ", the reference's bf16 "
            << worst(theirs, exact) << "\n";
  EXPECT_LE(worst(got, exact), 1.2 * worst(theirs, exact));
  EXPECT_LE((got - exact).abs().mean().item<double>(),
            (theirs - exact).abs().mean().item<double>());
}

/// What a probe is shown, against what it is shown of the reference.
class Layers final : public Probe {
 public:
  void tensor(std::string_view name, const at::Tensor& value) override {
    seen.emplace_back(name, value.clone());
  }
  void count(std::string_view /*name*/, std::int64_t /*value*/) override {}
  std::vector<std::pair<std::string, at::Tensor>> seen;
};

TEST_F(OnCuda, ShowsWhatTheReferenceShows) {
  auto cuda = cuda_forward("scaled", small());
  auto driven = reference("scaled", /*cache=*/true);
  Layers ours;
  Layers theirs;
  const auto run = [](Forward& forward, Layers& probe) {
    Sequences all(forward, 1);
    all.at(0).tokens = {2, 300, 301, 302, 303};
    all.at(0).want.top = 1;
    (void)all.run_rest(&probe);
  };
  run(cuda, ours);
  run(driven.forward(), theirs);
  ASSERT_EQ(ours.seen.size(), 3);  // embeddings and two layers
  ASSERT_EQ(theirs.seen.size(), 3);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(ours.seen[i].first, theirs.seen[i].first);
    expect_alike(ours.seen[i].second, theirs.seen[i].second,
                 ours.seen[i].first);
  }
}

TEST_F(OnCuda, RefusesAStepThatDoesNotFitTheCache) {
  auto cuda = cuda_forward("scaled", small());
  Sequences all(cuda, 1);
  all.at(0).tokens = {2, 3, 4};
  all.at(0).cached = 2;
  EXPECT_THROW((void)all.run_rest(), Error);
}

TEST_F(OnCuda, SaysWhatModelsItCannotRun) {
  Config odd;
  odd.hidden = 20;
  odd.heads = odd.kv_heads = 1;
  odd.head_dim = 16;
  odd.ffn = 64;
  ASSERT_NE(CudaEngine::cannot_run(odd, NumberType::kF32), nullptr);
  odd.hidden = 32;
  EXPECT_EQ(CudaEngine::cannot_run(odd, NumberType::kF32), nullptr);
}

}  // namespace
}  // namespace penstock::gemma::cuda
