// core.vector, core.ctc and core.sigmoid_labels against what others make of the
// same numbers, and core.text behind them.
#include "tests/plugins/core/decoders.h"

#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "penstock/keys.h"
#include "penstock/testing/stage_faults.h"

namespace penstock::core {
namespace {

using ::testing::HasSubstr;
using DecoderJson = nlohmann::json;

void flatten(const DecoderJson& json, std::vector<float>& out) {
  if (json.is_array()) {
    for (const DecoderJson& each : json) flatten(each, out);
  } else {
    out.push_back(json.get<float>());
  }
}

/// Nested lists of numbers.
at::Tensor tensor_of(const DecoderJson& json) {
  std::vector<std::int64_t> shape;
  for (const DecoderJson* at = &json; at->is_array(); at = &at->front()) {
    shape.push_back(static_cast<std::int64_t>(at->size()));
  }
  std::vector<float> flat;
  flatten(json, flat);
  return at::tensor(flat).view(shape);
}

std::string error_of_stage(const std::string& yaml,
                           const testing::Given& given) {
  try {
    (void)testing::run_stage(yaml, given);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Vector, PoolsAsSentenceTransformersDoes) {
  const DecoderJson golden = golden_decoder("vector.json");
  for (const auto& each : golden["cases"]) {
    testing::Given given;
    for (std::size_t i = 0; i < 3; ++i) {
      const auto mask = tensor_of(golden["mask"][i]).to(at::kLong);
      given.items.push_back({.inputs = {{"attention_mask", mask}}});
      given.outputs.push_back({{"hidden", tensor_of(golden["hidden"][i])}});
    }
    given.options = {{"dimensions", each["dimensions"].dump()},
                     {"normalize", each["normalize"].dump()}};
    const auto made = testing::run_stage(
        "{use: core.vector, pool: " + each["pool"].get<std::string>() + "}",
        given);
    ASSERT_EQ(made.decoded.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(
          testing::difference(get(made.decoded[i].tensors, "embedding"),
                              tensor_of(each["vectors"][i]), {.terms = 5}),
          "")
          << each["pool"] << " of item " << i;
    }
  }
}

TEST(Vector, WithoutAMaskEveryStateCounts) {
  const auto made = testing::run_stage(
      "{use: core.vector, normalize: false}",
      {.outputs = {
           {{"hidden", at::tensor({1.0F, 2.0F, 3.0F, 6.0F}).view({2, 2})}}}});
  EXPECT_EQ(testing::difference(get(made.decoded.at(0).tensors, "embedding"),
                                at::tensor({2.0F, 4.0F})),
            "");
}

TEST(Vector, PaddingThatIsNoNumberDoesNotCount) {
  const float none = std::numeric_limits<float>::quiet_NaN();
  const auto made = testing::run_stage(
      "{use: core.vector, normalize: false}",
      {.items = {{.inputs = {{"attention_mask", at::tensor({1L, 0L})}}}},
       .outputs = {
           {{"hidden", at::tensor({1.0F, 2.0F, none, none}).view({2, 2})}}}});
  EXPECT_EQ(testing::difference(get(made.decoded.at(0).tensors, "embedding"),
                                at::tensor({1.0F, 2.0F})),
            "");
}

TEST(Vector, OfAModelThatGivesOneIsIt) {
  const auto made =
      testing::run_stage("{use: core.vector, pool: none}",
                         {.outputs = {{{"hidden", at::tensor({3.0F, 4.0F})}}}});
  EXPECT_EQ(testing::difference(get(made.decoded.at(0).tensors, "embedding"),
                                at::tensor({0.6F, 0.8F})),
            "");
  EXPECT_THAT(
      error_of_stage("{use: core.vector}",
                     {.outputs = {{{"hidden", at::tensor({3.0F, 4.0F})}}}}),
      HasSubstr("'hidden' has 2 dims with the batch's, expected 3; of a model "
                "that gives a vector set pool: none"));
}

TEST(Vector, SaysWhatIsWrong) {
  const float none = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(error_of_stage(
                  "{use: core.vector}",
                  {.outputs = {{{"hidden", at::tensor({none}).view({1, 1})}}}}),
              HasSubstr("not finite"));
  EXPECT_THAT(error_of_stage("{use: core.vector, dimensions: 3}",
                             {.outputs = {{{"hidden", at::zeros({1, 2})}}}}),
              HasSubstr("dimensions is 3, but the model's vectors have 2"));
  EXPECT_THAT(
      error_of_stage(
          "{use: core.vector}",
          {.items = {{.inputs = {{"attention_mask", at::zeros({3})}}}},
           .outputs = {{{"hidden", at::zeros({2, 2})}}}}),
      HasSubstr("'attention_mask' has 3 places for an item, the model's states "
                "2"));
  EXPECT_THAT(error_of_stage("{use: core.vector}",
                             {.outputs = {{{"hidden", at::zeros({0, 2})}}}}),
              HasSubstr("no states"));
}

TEST(Vector, IsAGoodStage) {
  EXPECT_EQ(
      testing::stage_faults(
          "{use: core.vector}",
          {.outputs = {{{"hidden", at::tensor({1.0F, 2.0F}).view({1, 2})}}}}),
      "");
}

/// A file of labels, gone with the test.
struct LabelFile {
  explicit LabelFile(const std::vector<std::string>& labels)
      : path(::testing::TempDir() + "/penstock_labels.txt") {
    std::ofstream file(path);
    for (const std::string& label : labels) file << label << "\n";
  }
  ~LabelFile() { std::filesystem::remove(path); }
  [[nodiscard]] std::string yaml(const std::string& more = "") const {
    return "{use: core.ctc, labels: '" + path + "'" + more + "}";
  }
  std::string path;
};

TEST(Ctc, ReadsAsPaddleOcrDoes) {
  const DecoderJson golden = golden_decoder("ctc.json");
  const LabelFile labels(golden["labels"].get<std::vector<std::string>>());
  testing::Given given;
  for (const auto& scores : golden["scores"]) {
    given.items.emplace_back();
    given.outputs.push_back({{"logits", tensor_of(scores)}});
  }
  const auto made = testing::run_stage(labels.yaml(", space: true"), given);
  ASSERT_EQ(made.decoded.size(), golden["lines"].size());
  for (std::size_t i = 0; i < made.decoded.size(); ++i) {
    const auto& wanted = golden["lines"][i];
    const Notes& notes = made.decoded[i].notes;
    EXPECT_EQ(get(notes, kText), wanted[0].get<std::string>());
    // Theirs is rounded to 5 digits, twice.
    EXPECT_NEAR(get(notes, kScore), wanted[1].get<double>(), 1e-5);
    EXPECT_EQ(find(notes, kBestScore) != nullptr, get(notes, kText).empty());
  }
  EXPECT_NEAR(get(made.decoded.back().notes, kBestScore), 0.001, 1e-3);
}

/// Scores of one item, each place's best class sure by `share`.
Tensors places(const std::vector<std::int64_t>& best, std::int64_t classes,
               float share) {
  auto logits = at::zeros({static_cast<std::int64_t>(best.size()), classes});
  for (std::size_t i = 0; i < best.size(); ++i) {
    logits[static_cast<std::int64_t>(i)][best[i]] = share;
  }
  return {{"logits", logits}};
}

std::string text_of(const std::string& yaml, const Tensors& outputs) {
  const auto made = testing::run_stage(yaml, {.outputs = {outputs}});
  return get(made.decoded.at(0).notes, kText);
}

TEST(Ctc, TheBlankMayStandAnywhere) {
  const LabelFile two({"a", "b"});
  EXPECT_EQ(text_of(two.yaml(), places({1, 1, 0, 1, 2}, 3, 0.9F)), "aab");
  EXPECT_EQ(text_of(two.yaml(", blank: 2"), places({0, 0, 2, 0, 1}, 3, 0.9F)),
            "aab");
  const LabelFile named({"_", "a", "b"});
  EXPECT_EQ(text_of(named.yaml(), places({1, 1, 0, 1, 2}, 3, 0.9F)), "aab");
}

TEST(Ctc, LabelsAndClassesHaveToBeAsMany) {
  const LabelFile two({"a", "b"});
  EXPECT_THAT(error_of_stage(two.yaml(), {.outputs = {places({0}, 4, 1)}}),
              HasSubstr("the model has 4 classes, blank is 0"));
  EXPECT_THAT(error_of_stage(two.yaml(), {.outputs = {places({0}, 4, 1)}}),
              HasSubstr("if the last is a space, set decode.space to true"));
  EXPECT_THAT(error_of_stage(two.yaml(), {.outputs = {places({0}, 9, 1)}}),
              HasSubstr("expected a name for each"));
  EXPECT_THAT(
      error_of_stage(two.yaml(", blank: 7"), {.outputs = {places({0}, 3, 1)}}),
      HasSubstr("blank is 7"));
  EXPECT_THAT(error_of_stage("{use: core.ctc}", {}),
              HasSubstr("labels is not set"));
}

TEST(Ctc, SoftmaxMakesScoresOfLogits) {
  const LabelFile two({"a", "b"});
  const auto made = testing::run_stage(two.yaml(", activation: softmax"),
                                       {.outputs = {places({1}, 3, 2)}});
  EXPECT_NEAR(get(made.decoded.at(0).notes, kScore),
              std::exp(2.0) / (std::exp(2.0) + 2), 1e-6);
  const auto none = testing::run_stage(two.yaml(", activation: softmax"),
                                       {.outputs = {places({0}, 3, 2)}});
  EXPECT_NEAR(get(none.decoded.at(0).notes, kBestScore),
              1 / (std::exp(2.0) + 2), 1e-6);
}

TEST(Ctc, AnUnsureTextIsNotGiven) {
  const LabelFile two({"a", "b"});
  const auto made = testing::run_stage(two.yaml(", threshold: 0.8"),
                                       {.outputs = {places({1, 2}, 3, 0.7F)}});
  EXPECT_EQ(get(made.decoded.at(0).notes, kText), "");
  EXPECT_NEAR(get(made.decoded.at(0).notes, kBestScore), 0.7, 1e-6);
}

TEST(Ctc, TheBlanksScoreIsNotTheBestOfACharacter) {
  const LabelFile two({"a", "b"});
  auto scores = places({1, 1}, 3, 0.9F);
  scores[0].second[1][2] = 0.05F;
  const auto made =
      testing::run_stage(two.yaml(", blank: 1"), {.outputs = {scores}});
  EXPECT_EQ(get(made.decoded.at(0).notes, kText), "");
  EXPECT_NEAR(get(made.decoded.at(0).notes, kBestScore), 0.05, 1e-6);
}

TEST(Ctc, NotANumberFailsItsItem) {
  const LabelFile two({"a", "b"});
  const float none = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(error_of_stage(two.yaml(), {.outputs = {places({1}, 3, none)}}),
              HasSubstr("not finite"));
  EXPECT_EQ(text_of(two.yaml(), {{"logits", at::zeros({0, 3})}}), "");
}

TEST(Ctc, IsAGoodStage) {
  const LabelFile two({"a", "b"});
  EXPECT_EQ(
      testing::stage_faults(two.yaml(), {.outputs = {places({1, 2}, 3, 0.7F)}}),
      "");
}

Decoded read_text(const std::string& text, double score) {
  Decoded decoded;
  set(decoded.notes, kText, text);
  set(decoded.notes, kScore, score);
  return decoded;
}

TEST(Text, WritesWhatDecodeFound) {
  const auto made = testing::run_stage(
      "{use: core.text}",
      {.items = {{.notes = {{"text", std::string("of preprocess")}}}},
       .decoded = {read_text("found", 0.5)}});
  EXPECT_EQ(made.outcome.text(), "found");
  EXPECT_EQ(made.outcome.json(), R"({"texts":[{"text":"found","score":0.5}]})");
}

Tensors decoded_labels(const std::string& params,
                       const std::vector<float>& logits,
                       Notes* notes = nullptr) {
  const auto made =
      testing::run_stage("{use: core.sigmoid_labels" + params + "}",
                         {.outputs = {{{"logits", at::tensor(logits)}}}});
  if (notes != nullptr) *notes = made.decoded.at(0).notes;
  return made.decoded.at(0).tensors;
}

TEST(SigmoidLabels, GivesEveryLikelyClassBestFirst) {
  const auto made = decoded_labels("", {0.1F, -3, 2, 0});
  EXPECT_EQ(testing::difference(get(made, "classes"), at::tensor({2L, 0L, 3L})),
            "");
  EXPECT_EQ(testing::difference(get(made, "scores"),
                                at::tensor({2.0F, 0.1F, 0.0F}).sigmoid()),
            "");
  EXPECT_EQ(get(decoded_labels(", max: 1", {0.1F, -3, 2}), "classes").numel(),
            1);
  EXPECT_EQ(get(decoded_labels(", activation: none, threshold: 0.3",
                               {0.1F, 0.3F, 0.9F}),
                "classes")
                .numel(),
            2);
}

TEST(SigmoidLabels, SayTheBestScoreWhereNoneIsLikely) {
  Notes notes;
  EXPECT_EQ(get(decoded_labels("", {-1, -2}, &notes), "classes").numel(), 0);
  EXPECT_NEAR(get(notes, kBestScore), 1 / (1 + std::exp(1.0)), 1e-6);
  (void)decoded_labels("", {1, -2}, &notes);
  EXPECT_EQ(find(notes, kBestScore), nullptr);
  EXPECT_THAT(
      error_of_stage(
          "{use: core.sigmoid_labels}",
          {.outputs = {{{"logits",
                         at::tensor(
                             {std::numeric_limits<float>::quiet_NaN()})}}}}),
      HasSubstr("not finite"));
}

TEST(SigmoidLabels, AreAGoodStage) {
  EXPECT_EQ(testing::stage_faults(
                "{use: core.sigmoid_labels}",
                {.outputs = {{{"logits", at::tensor({1.0F, -1.0F})}}}}),
            "");
}

}  // namespace
}  // namespace penstock::core
