// Embeddings of the tiny models against transformers' last hidden states, by
// both engines.
#include <gtest/gtest.h>

#include <cmath>
#include <iostream>

#include "penstock/parallel.h"
#include "tests/plugins/gemma/support.h"

namespace penstock::gemma {
namespace {

struct EmbedCase {
  std::string name, model, engine, pool;
  std::int64_t chunk = 512;
  bool cache = true;
};
void PrintTo(const EmbedCase& c, std::ostream* os) { *os << c.name; }

class Embeddings : public ::testing::TestWithParam<EmbedCase> {
 protected:
  void SetUp() override { set_threads(1); }
  void TearDown() override { set_threads(0); }

  /// The vectors of the goldens' texts, as the pipeline gives them.
  [[nodiscard]] static std::vector<std::vector<double>> run(
      const nlohmann::json& golden, bool is_normalized) {
    const EmbedCase& c = GetParam();
    std::vector<Request> requests;
    for (const auto& each : golden) {
      requests.emplace_back().inputs["text"] = each["text"].get<std::string>();
    }
    const auto kept = run_file(
        "gemma_embed", std::move(requests),
        {{"model", tiny(c.model + ".gguf"), "test"},
         {"device", "cpu", "test"},
         {"forward.dtype", "fp32", "test"},
         {"forward.engine", c.engine, "test"},
         {"forward.cache", c.cache ? "true" : "false", "test"},
         {"decode.pool", c.pool, "test"},
         {"decode.normalize", is_normalized ? "true" : "false", "test"},
         {"batch.chunk", std::to_string(c.chunk), "test"}});
    std::vector<std::vector<double>> out;
    for (const auto& each : kept) {
      if (each->report.error) throw Error(*each->report.error);
      out.push_back(nlohmann::json::parse(each->json.at(0))["embedding"]
                        .get<std::vector<double>>());
    }
    return out;
  }
};

/// Cases of whole texts: a continuation is no part of what is embedded.
nlohmann::json texts_of(const std::string& model) {
  nlohmann::json out;
  for (const auto& each : golden_json("score/" + model + ".json")) {
    if (!each.contains("continuation")) out.push_back(each);
  }
  return out;
}

TEST_P(Embeddings, AreTransformersHiddenStates) {
  const auto golden = texts_of(GetParam().model);
  const auto got = run(golden, /*is_normalized=*/false);
  ASSERT_EQ(got.size(), golden.size());
  ASSERT_GE(got.size(), 2);
  double worst = 0;
  for (std::size_t i = 0; i < golden.size(); ++i) {
    const auto wanted = golden[i][GetParam().pool].get<std::vector<double>>();
    ASSERT_EQ(got[i].size(), wanted.size());
    for (std::size_t d = 0; d < wanted.size(); ++d) {
      worst = std::max(worst, std::abs(got[i][d] - wanted[d]));
    }
  }
  std::cout << "largest difference of a number: " << worst << "\n";
  // They are some 5 in size; seven layers of fp32 leave 1e-5 of that.
  EXPECT_LE(worst, 2e-4);
}

TEST_P(Embeddings, HaveLengthOneWhenNormalized) {
  const auto golden = texts_of(GetParam().model);
  for (const auto& vector : run(golden, /*is_normalized=*/true)) {
    double squares = 0;
    for (const double number : vector) squares += number * number;
    EXPECT_NEAR(squares, 1, 1e-6);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, Embeddings,
    ::testing::ValuesIn<EmbedCase>({{.name = "native_mean",
                                     .model = "tiny",
                                     .engine = "native",
                                     .pool = "mean"},
                                    {.name = "native_last",
                                     .model = "tiny",
                                     .engine = "native",
                                     .pool = "last"},
                                    {.name = "native_chunks_of_7",
                                     .model = "tiny_wide",
                                     .engine = "native",
                                     .pool = "mean",
                                     .chunk = 7},
                                    {.name = "reference_mean",
                                     .model = "tiny",
                                     .engine = "reference",
                                     .pool = "mean"},
                                    {.name = "reference_last",
                                     .model = "tiny_wide",
                                     .engine = "reference",
                                     .pool = "last",
                                     .chunk = 7},
                                    {.name = "reference_no_cache",
                                     .model = "tiny_wide",
                                     .engine = "reference",
                                     .pool = "mean",
                                     .cache = false}}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace penstock::gemma
