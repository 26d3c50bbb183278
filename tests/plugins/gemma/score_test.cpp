// Log-likelihoods of the tiny models against transformers': both engines, with
// and without a cache, however the text is cut.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>

#include "penstock/parallel.h"
#include "tests/plugins/gemma/support.h"

namespace penstock::gemma {
namespace {

using ::testing::HasSubstr;

struct ScoreCase {
  std::string name, model, engine;
  std::int64_t chunk = 512;
  bool cache = true;
};
void PrintTo(const ScoreCase& c, std::ostream* os) { *os << c.name; }

std::vector<Override> overrides(const ScoreCase& c) {
  return {{"model", tiny(c.model + ".gguf"), "test"},
          {"device", "cpu", "test"},
          {"forward.dtype", "fp32", "test"},
          {"forward.engine", c.engine, "test"},
          {"forward.cache", c.cache ? "true" : "false", "test"},
          {"batch.chunk", std::to_string(c.chunk), "test"}};
}

Request request_of(const nlohmann::json& golden) {
  Request request;
  request.inputs["text"] = golden["text"].get<std::string>();
  if (golden.contains("continuation")) {
    request.inputs["continuation"] = golden["continuation"].get<std::string>();
  }
  return request;
}

/// The JSON pieces of a result as one: `tokens` end to end.
nlohmann::json joined_text(const Keep& kept) {
  nlohmann::json out;
  for (const std::string& piece : kept.json) {
    const auto parsed = nlohmann::json::parse(piece);
    for (const auto& [key, value] : parsed.items()) {
      if (!value.is_array()) {
        out[key] = value;
        continue;
      }
      for (const auto& item : value) out[key].push_back(item);
    }
  }
  return out;
}

class Likelihood : public ::testing::TestWithParam<ScoreCase> {
 protected:
  void SetUp() override { set_threads(1); }
  void TearDown() override { set_threads(0); }
};

TEST_P(Likelihood, IsThatOfTransformers) {
  const auto golden = golden_json("score/" + GetParam().model + ".json");
  std::vector<Request> requests;
  for (const auto& each : golden) requests.push_back(request_of(each));
  const auto kept =
      run_file("score", std::move(requests), overrides(GetParam()));
  ASSERT_EQ(kept.size(), golden.size());
  double worst = 0;
  for (std::size_t i = 0; i < golden.size(); ++i) {
    SCOPED_TRACE(golden[i]["name"].get<std::string>());
    ASSERT_FALSE(kept[i]->report.error) << kept[i]->report.error->what();
    EXPECT_EQ(kept[i]->report.finish_reason, "end");
    const auto got = joined_text(*kept[i]);
    const auto& logprobs = golden[i]["logprobs"];
    ASSERT_EQ(got["token_count"], logprobs.size());
    ASSERT_EQ(got["tokens"].size(), logprobs.size());
    const std::size_t begin = golden[i]["begin"];
    for (std::size_t t = 0; t < logprobs.size(); ++t) {
      const auto& token = got["tokens"][t];
      EXPECT_EQ(token["id"], golden[i]["ids"][begin + t]);
      EXPECT_EQ(token["is_best"], golden[i]["best"][t]);
      worst = std::max(worst, std::abs(token["logprob"].get<double>() -
                                       logprobs[t].get<double>()));
    }
    // Sums of some hundred of them.
    EXPECT_NEAR(got["logprob"], golden[i]["logprob"], 5e-3);
    EXPECT_NEAR(
        got["perplexity"].get<double>() / golden[i]["perplexity"].get<double>(),
        1, 1e-3);
    EXPECT_EQ(got["is_greedy"], golden[i]["is_greedy"]);
  }
  std::cout << "largest difference of a log-probability: " << worst << "\n";
  // The bound that tiny_test.cpp explains for logits.
  EXPECT_LE(worst, 5e-4);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Likelihood,
    ::testing::ValuesIn<ScoreCase>(
        {{.name = "native", .model = "tiny", .engine = "native"},
         {.name = "native_wide", .model = "tiny_wide", .engine = "native"},
         {.name = "native_chunks_of_7",
          .model = "tiny",
          .engine = "native",
          .chunk = 7},
         {.name = "reference", .model = "tiny", .engine = "reference"},
         {.name = "reference_wide",
          .model = "tiny_wide",
          .engine = "reference"},
         {.name = "reference_chunks_of_7",
          .model = "tiny",
          .engine = "reference",
          .chunk = 7},
         {.name = "reference_no_cache",
          .model = "tiny",
          .engine = "reference",
          .cache = false}}),
    [](const auto& test) { return test.param.name; });

struct Refusal {
  std::string name, text, continuation, truncate, words;
};
void PrintTo(const Refusal& c, std::ostream* os) { *os << c.name; }

class Refused : public ::testing::TestWithParam<Refusal> {};

TEST_P(Refused, InWords) {
  const Refusal& c = GetParam();
  Request request;
  request.inputs["text"] = c.text;
  if (c.name != "nothing") request.inputs["continuation"] = c.continuation;
  request.options["truncate"] = RawScalar{c.truncate, true};
  std::vector<Request> requests;
  requests.push_back(std::move(request));
  const auto kept =
      run_file("score", std::move(requests),
               overrides({.name = "", .model = "tiny", .engine = "native"}));
  ASSERT_TRUE(kept[0]->report.error);
  EXPECT_EQ(kept[0]->report.error->code(), Code::kData);
  EXPECT_THAT(kept[0]->report.error->what(), HasSubstr(c.words));
}

INSTANTIATE_TEST_SUITE_P(
    Table, Refused,
    ::testing::ValuesIn<Refusal>(
        {{"nothing", "", "", "none", "nothing to score"},
         {"empty", "a", "", "none", "leave it out"},
         {"too_long", std::string(400, '7'), std::string(400, '7'), "none",
          "the most is 511"},
         {"cut_off", std::string(400, '7'), std::string(400, '7'), "right",
          "the continuation would be cut"},
         {"cut_through", "7", std::string(600, '7'), "left",
          "the continuation would be cut"}}),
    [](const auto& test) { return test.param.name; });

TEST(Likelihood, TextIsCutBeforeItsContinuation) {
  Request request;
  request.inputs["text"] = std::string(600, '7');
  request.inputs["continuation"] = "777";
  request.options["truncate"] = RawScalar{"left", true};
  std::vector<Request> requests;
  requests.push_back(std::move(request));
  const auto kept =
      run_file("score", std::move(requests),
               overrides({.name = "", .model = "tiny", .engine = "native"}));
  ASSERT_FALSE(kept[0]->report.error) << kept[0]->report.error->what();
  EXPECT_EQ(kept[0]->report.prompt_tokens, 511);
  EXPECT_EQ(joined_text(*kept[0])["token_count"], 3);
}

}  // namespace
}  // namespace penstock::gemma
