// Two tiny random Gemma 3 models against transformers: logits, greedy text in
// every way of running, and what a model file may not be.
#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <tuple>

#include "penstock/parallel.h"
#include "penstock/testing/conformance.h"
#include "tests/plugins/gemma/support.h"

namespace penstock::gemma {
namespace {

using ::testing::HasSubstr;

/// A model and the engine that runs it.
class Tiny
    : public ::testing::TestWithParam<std::tuple<std::string, std::string>> {
 protected:
  /// Matrices this small gain nothing from a second thread.
  void SetUp() override { set_threads(1); }

  [[nodiscard]] GemmaForward::Params params(bool cache) const {
    return {
        .engine = engine_, .dtype = "fp32", .cache = cache, .logits = false};
  }
  [[nodiscard]] bool is_native() const { return engine_ == "native"; }

  std::string name_ = std::get<0>(GetParam());
  std::string engine_ = std::get<1>(GetParam());
  std::string model_ = tiny(name_ + ".gguf");
  nlohmann::json golden_ = golden_json("tiny/" + name_ + ".json");
};

TEST_P(Tiny, GivesTransformersLogitsAtEveryPosition) {
  const auto wanted =
      golden_floats("tiny/" + name_ + ".logits.f32", {120, 576});
  const auto sequence = golden_["sequence"].get<Tokens>();
  for (const bool cache : {true, false}) {
    if (!cache && is_native()) continue;
    Driven driven(model_, params(cache));
    for (const std::int64_t chunk : {1, 5, 16, 120}) {
      if (!cache && chunk < 120) continue;
      Want want;
      want.from = 0;
      want.full = true;
      const auto got = driven.run(sequence, want, chunk).full;
      const auto worst = (got - wanted).abs().max().item<double>();
      std::cout << name_ << ", " << engine_ << (cache ? "" : ", no cache")
                << ", chunk " << chunk << ": largest logit difference " << worst
                << "\n";
      // The logits have a deviation of 3.4; fp32 against fp64 differs by 1e-4.
      EXPECT_LE(worst, 5e-4);
      EXPECT_TRUE(got.argmax(1).equal(wanted.argmax(1)));
    }
  }
}

/// Tokens that the goldens have; fewer under a sanitizer, for time.
#ifdef PENSTOCK_SANITIZER
constexpr std::int64_t kNewTokens = 24;
#else
constexpr std::int64_t kNewTokens = 256;
#endif
/// The reference engine makes so many in most ways: its steps take long.
constexpr std::int64_t kFewTokens = std::min<std::int64_t>(48, kNewTokens);

/// Every way of running; chunks are continuous batching's, and the loop
/// without a cache is run with one batch size.
std::vector<RunOptions> ways(const std::string& model,
                             const std::string& engine) {
  std::vector<RunOptions> all;
  const auto add = [&](bool is_padded, bool cache, std::int64_t rows,
                       std::int64_t chunk) {
    const bool is_long = engine == "native" || (cache && rows == 8);
    all.push_back({.model = model,
                   .is_padded = is_padded,
                   .cache = cache,
                   .max_sequences = rows,
                   .chunk = chunk,
                   .max_new_tokens = is_long ? kNewTokens : kFewTokens,
                   .engine = engine});
  };
  constexpr std::int64_t kWhole = 1 << 20;
  for (const std::int64_t rows : {1, 3, 8}) {
    for (const std::int64_t chunk :
         {std::int64_t{7}, std::int64_t{64}, kWhole}) {
      add(false, true, rows, chunk);
    }
    add(true, true, rows, kWhole);
  }
  if (engine == "reference") {
    add(false, false, 3, kWhole);
    add(true, false, 3, kWhole);
  }
  return all;
}

/// The differences from the golden continuation.
std::string check_greedy(const Keep& got, const nlohmann::json& wanted,
                         std::int64_t tokens, const std::string& name) {
  auto ids = wanted["ids"].get<Tokens>();
  const bool is_whole = std::ssize(ids) <= tokens;
  if (!is_whole) ids.resize(static_cast<std::size_t>(tokens));
  if (is_whole && got.report.token_ids == ids &&
      (got.text != wanted["text"].get<std::string>() ||
       got.report.finish_reason != wanted["finish"].get<std::string>())) {
    return name + ": the text or the reason differs\n";
  }
  return compare_greedy(got.report.token_ids, ids, wanted["margins"], name);
}

TEST_P(Tiny, ContinuesAsTransformersInEveryWayOfRunning) {
  std::vector<std::string> prompts;
  for (const auto& each : golden_["greedy"]) prompts.push_back(each["prompt"]);
  const auto all = ways(model_, engine_);
  EXPECT_EQ(all.size(), is_native() ? 12 : 14);
  for (const RunOptions& how : all) {
    const auto results = run(prompts, how);
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      EXPECT_EQ(
          check_greedy(*results[i], golden_["greedy"][i], how.max_new_tokens,
                       str(how.is_padded ? "padded" : "continuous", ", cache ",
                           how.cache, ", rows ", how.max_sequences, ", chunk ",
                           how.chunk, ", prompt ", i)),
          "");
    }
  }
}

TEST_P(Tiny, Conforms) {
  const auto sequence = golden_["sequence"].get<Tokens>();
  std::vector<Tokens> prompts;
  for (const std::int64_t length : {9, 40, 23}) {
    prompts.emplace_back(sequence.begin(), sequence.begin() + length);
  }
  for (const Layout layout : {Layout::kPacked, Layout::kPadded}) {
    Driven cached(model_, params(true));
    Driven uncached(model_, {.engine = "reference",
                             .dtype = "fp32",
                             .cache = false,
                             .logits = false});
    const auto result = penstock::testing::check_forward(
        cached.forward(), uncached.forward(),
        {.prompts = prompts, .layout = layout, .tolerance = 5e-4});
    EXPECT_TRUE(result.failures.empty()) << result.failures.front();
    std::cout << result.comparisons << " comparisons, worst " << result.worst
              << "\n";
  }
}

using Pair = std::tuple<std::string, std::string>;
INSTANTIATE_TEST_SUITE_P(Models, Tiny,
                         ::testing::Values(Pair{"tiny", "reference"},
                                           Pair{"tiny_gqa", "reference"},
                                           Pair{"tiny", "native"},
                                           Pair{"tiny_wide", "native"}));

class Engines : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Both, Engines,
                         ::testing::Values("reference", "native"));

TEST_P(Engines, AnswerEveryWantAlike) {
  Driven driven(
      tiny("tiny.gguf"),
      {.engine = GetParam(), .dtype = "fp32", .cache = true, .logits = false});
  const auto ids = golden_json("tiny/tiny.json")["sequence"].get<Tokens>();
  Want want;
  want.from = 0;
  want.top = 5;
  want.full = want.norm = want.follow = want.hidden = true;
  want.ids = {7, 3, 575};
  const Scores scores = driven.run(ids, want, 50);
  EXPECT_EQ(scores.full.size(0), 120);
  EXPECT_EQ(scores.hidden.size(1), 32);
  for (std::int64_t i = 0; i < 120; ++i) {
    const auto full = scores.full[i];
    EXPECT_EQ(scores.ids[i][0].item<std::int64_t>(),
              full.argmax().item<std::int64_t>());
    EXPECT_EQ(scores.values[i][0].item<float>(), full.max().item<float>());
    EXPECT_NEAR(scores.norm[i].item<float>(), full.logsumexp(0).item<float>(),
                1e-4);
    EXPECT_EQ(scores.at[i][2].item<float>(), full[575].item<float>());
    const auto follows = scores.follow[i].item<float>();
    if (i + 1 < 120) {
      EXPECT_EQ(follows,
                full[ids[static_cast<std::size_t>(i) + 1]].item<float>());
    } else {
      EXPECT_TRUE(std::isnan(follows));
    }
  }
}

/// The scores of a sequence under sets, against its own without: the same bits.
void expect_masked(const Scores& got, const Scores& own, std::int64_t row,
                   const TokenSet* allowed) {
  const auto mask = at::zeros({576}, at::kBool);
  for (std::int64_t id = 0; id < 576; ++id) {
    mask[id] = allowed == nullptr || allowed->contains(id);
  }
  const auto wanted = own.full[row].masked_fill(
      mask.logical_not(), -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(got.full[row].equal(wanted)) << row;
  EXPECT_NEAR(got.norm[row].item<float>(), wanted.logsumexp(0).item<float>(),
              1e-4);
  const auto best = std::get<0>(wanted.topk(5));
  EXPECT_TRUE(got.values[row].equal(best)) << row;
  const std::int64_t count =
      std::min<std::int64_t>(5, allowed == nullptr ? 576 : allowed->size());
  for (std::int64_t i = 0; i < 5; ++i) {
    const auto id = got.ids[row][i].item<std::int64_t>();
    if (i >= count) {
      EXPECT_EQ(id, -1);
    } else {
      EXPECT_EQ(wanted[id].item<float>(), best[i].item<float>());
    }
  }
  EXPECT_EQ(got.at[row][1].item<float>(), wanted[300].item<float>());
}

TEST_P(Engines, HonourAllowedTokensToTheBit) {
  Driven driven(
      tiny("tiny.gguf"),
      {.engine = GetParam(), .dtype = "fp32", .cache = true, .logits = false});
  const auto ids = golden_json("tiny/tiny.json")["sequence"].get<Tokens>();
  Want want;
  want.from = 0;
  want.top = 5;
  want.full = want.norm = want.follow = true;
  want.ids = {7, 300};
  const Scores own = driven.run(ids, want, 50);
  std::vector<std::shared_ptr<const TokenSet>> sets{
      nullptr, std::make_shared<const TokenSet>(Tokens{300}),
      std::make_shared<const TokenSet>(Tokens{5, 17, 300, 301, 302, 575})};
  Tokens most;
  for (std::int64_t id = 0; id < 576; ++id) {
    if (id % 5 != 0) most.push_back(id);
  }
  sets.push_back(std::make_shared<const TokenSet>(most));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    want.allowed.push_back(sets[i % sets.size()]);
  }
  const Scores got = driven.run(ids, want, 50);
  for (std::int64_t i = 0; i < std::ssize(ids); ++i) {
    const auto* set = want.allowed[static_cast<std::size_t>(i)].get();
    expect_masked(got, own, i, set);
    if (i + 1 == std::ssize(ids)) continue;
    const auto next = ids[static_cast<std::size_t>(i) + 1];
    const bool may = set == nullptr || set->contains(next);
    EXPECT_EQ(got.follow[i].item<float>(),
              may ? own.follow[i].item<float>()
                  : -std::numeric_limits<float>::infinity());
  }
}

TEST_P(Engines, ComputeWhatIsWantedAndNoMore) {
  Driven driven(
      tiny("tiny.gguf"),
      {.engine = GetParam(), .dtype = "fp32", .cache = true, .logits = false});
  Want want;
  want.from = 0;
  want.hidden = true;
  const Scores states = driven.run({2, 300, 301}, want);
  EXPECT_EQ(states.hidden.size(0), 3);
  EXPECT_FALSE(states.ids.defined() || states.full.defined() ||
               states.norm.defined() || states.follow.defined());
  want.hidden = false;
  want.top = 1;
  const Scores best = driven.run({2, 300, 301}, want);
  EXPECT_EQ(best.ids.size(0), 3);
  EXPECT_FALSE(best.hidden.defined());
}

/// Counts rows of matrix products, keeps the logits of the first step.
class Watch final : public Observer {
 public:
  void step(const Step& step, const Result& result) override {
    for (const Slice& slice : step.slices) tokens += slice.count;
    if (const auto* found = find(result.out, "logits"); !logits.defined()) {
      if (found != nullptr) logits = *found;
      mask = get(step.inputs, "attention_mask");
    }
  }
  void count(std::string_view name, std::int64_t value) override {
    if (name == "matmul_rows") rows += value;
  }
  std::int64_t tokens = 0, rows = 0;
  at::Tensor logits, mask;
};

TEST(Forward, ComputesNoPadding) {
  Watch watch;
  const RunOptions how{.model = tiny("tiny.gguf"),
                       .is_padded = true,
                       .cache = false,
                       .max_sequences = 3,
                       .max_new_tokens = 5,
                       .observer = &watch};
  (void)run({"a", "a much longer prompt than the first", "medium one"}, how);
  EXPECT_GT(watch.rows, 100);
  EXPECT_EQ(watch.rows, watch.tokens);
  ASSERT_TRUE(watch.mask.defined());
  EXPECT_LT(watch.mask.sum().item<std::int64_t>(), watch.mask.numel());
}

TEST(Forward, GivesLogitsOfBatchSequenceAndVocabulary) {
  Driven driven(
      tiny("tiny.gguf"),
      {.engine = "auto", .dtype = "fp32", .cache = false, .logits = true});
  std::array<Item, 2> items;
  std::array<Sequence, 2> rows;
  Step step;
  step.layout = Layout::kPadded;
  const std::array<Tokens, 2> prompts{Tokens{2, 300, 301, 302, 303},
                                      Tokens{2, 300, 301}};
  std::int64_t out = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    rows[i].item = &items[i];
    rows[i].tokens = prompts[i];
    rows[i].want.full = true;
    const auto count = static_cast<std::int64_t>(prompts[i].size());
    step.slices.push_back({.sequence = &rows[i],
                           .count = count,
                           .begin = 0,
                           .out = out++,
                           .outs = 1});
  }
  step.inputs = penstock::testing::collate(Layout::kPadded, step.slices);
  const Result result = driven.forward().forward(step);
  const auto& logits = get(result.out, "logits");
  EXPECT_EQ(logits.sizes(), at::IntArrayRef({2, 5, 576}));
  EXPECT_EQ(logits[1].narrow(0, 0, 2).abs().max().item<float>(), 0);
  // Two rows and eight take other ways through libtorch's matrix product.
  EXPECT_TRUE(logits[1][4].allclose(result.scores.full[1], 1e-4, 1e-3));
  // Causal: the same three tokens have the same scores in both rows.
  EXPECT_TRUE(logits[0].narrow(0, 0, 3).allclose(logits[1].narrow(0, 2, 3),
                                                 1e-4, 1e-4));
}

TEST_P(Engines, RunInBf16) {
  const RunOptions how{.model = tiny("tiny.gguf"),
                       .max_new_tokens = 20,
                       .dtype = "bf16",
                       .engine = GetParam()};
  EXPECT_EQ(run({"Hello"}, how)[0]->report.token_ids.size(), 20);
}

/// Scores of the native engine have the same bits however the work was cut.
TEST(Native, DoesNotDependOnChunksThreadsOrNeighbours) {
  const auto ids = golden_json("tiny/tiny_wide.json")["sequence"].get<Tokens>();
  Want want;
  want.from = 0;
  want.full = true;
  for (const auto& [dtype, kv_dtype] :
       std::vector<std::pair<std::string, std::string>>{
           {"fp32", "auto"}, {"bf16", "auto"}, {"fp32", "int8"}}) {
    set_threads(1);
    Driven driven(tiny("tiny_wide.gguf"), {.engine = "native",
                                           .dtype = dtype,
                                           .kv_dtype = kv_dtype,
                                           .cache = true,
                                           .logits = false});
    Tokens twice = ids;  // over several pages of the cache
    twice.insert(twice.end(), ids.begin(), ids.end());
    twice.insert(twice.end(), ids.begin(), ids.end());
    const auto whole = driven.run(twice, want, 512).full;
    const std::vector<std::pair<int, std::int64_t>> ways{
        {1, 3}, {1, 100}, {2, 1}, {2, 17}, {3, 100}, {7, 360}};
    for (const auto& [budget, chunk] : ways) {
      set_threads(budget);
      EXPECT_TRUE(driven.run(twice, want, chunk).full.equal(whole))
          << dtype << ", " << kv_dtype << ", " << budget << " threads, chunk "
          << chunk;
    }
  }
  set_threads(0);
}

TEST(Native, SaysWhatItCannotRun) {
  EXPECT_THROW(Driven(tiny("tiny_gqa.gguf"), {.engine = "native",
                                              .dtype = "fp32",
                                              .cache = true,
                                              .logits = false}),
               Error);  // heads of 24
  EXPECT_THROW(Driven(tiny("tiny.gguf"), {.engine = "native",
                                          .dtype = "int8",
                                          .cache = true,
                                          .logits = false}),
               Error);  // not quantised
}

TEST(Forward, RefusesIdsOutsideTheVocabulary) {
  Driven driven(tiny("tiny.gguf"), {});
  try {
    (void)driven.run({2, 576}, Want{});
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    EXPECT_THAT(error.what(), HasSubstr("576"));
  }
}

}  // namespace
}  // namespace penstock::gemma
