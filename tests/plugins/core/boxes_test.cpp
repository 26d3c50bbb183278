// core.boxes: boxes of every form, which of them are kept, and where they are
// in the picture.
#include "core/boxes.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "penstock/keys.h"
#include "penstock/testing/stage_faults.h"
#include "tests/plugins/core/decoders.h"

namespace penstock::core {
namespace {

using ::testing::HasSubstr;

using Rows = std::vector<std::vector<float>>;

at::Tensor matrix(const Rows& rows) {
  std::vector<float> flat;
  for (const auto& row : rows) flat.insert(flat.end(), row.begin(), row.end());
  return at::tensor(flat).view({static_cast<std::int64_t>(rows.size()), -1});
}

TEST(Nms, KeepsWhatTorchvisionKeeps) {
  for (const auto& each : golden_decoder("boxes.json")) {
    std::vector<Found> found;
    const auto boxes = each["boxes"].get<Rows>();
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      const auto& b = boxes[i];
      found.push_back({.box = {b[0] - b[2] / 2, b[1] - b[3] / 2,
                               b[0] + b[2] / 2, b[1] + b[3] / 2},
                       .score = each["scores"][i].get<float>(),
                       .kind = each["classes"][i].get<std::int64_t>()});
    }
    for (const bool by_class : {false, true}) {
      std::vector<float> wanted;
      for (const auto& at : each[by_class ? "kept_by_class" : "kept"]) {
        wanted.push_back(found[at.get<std::size_t>()].score);
      }
      std::vector<float> got;
      for (const Found& kept :
           best_boxes(found, {.overlap = each["overlap"].get<double>(),
                             .by_class = by_class,
                             .max = 1000})) {
        got.push_back(kept.score);
      }
      EXPECT_EQ(got, wanted) << found.size() << " boxes, by class " << by_class;
    }
  }
}

/// A picture of 200 by 100 that was laid into 100 by 100 pixels.
Notes letterboxed() {
  return {{"seen", Tokens{0, 0, 200, 100, 0, 25, 100, 50}},
          {"width", std::int64_t{200}},
          {"height", std::int64_t{100}}};
}

testing::Made made_of(const std::string& params, const Tensors& outputs,
                      const Notes& notes = {},
                      const at::Tensor& pixels = at::zeros({3, 100, 100})) {
  return testing::run_stage(
      "{use: core.boxes" + params + "}",
      {.items = {{.inputs = {{"pixels", pixels}}, .notes = notes}},
       .outputs = {outputs}});
}

Rows boxes_of(const testing::Made& made) {
  Rows out;
  const auto boxes = get(made.decoded.at(0).tensors, "boxes");
  for (std::int64_t i = 0; i < boxes.size(0); ++i) {
    const auto* const b = boxes[i].const_data_ptr<float>();
    out.push_back({b[0], b[1], b[2], b[3]});
  }
  return out;
}

std::string error_of(const std::string& params, const Tensors& outputs,
                     const Notes& notes = {}) {
  try {
    (void)made_of(params, outputs, notes);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

struct FormCase {
  std::string name, params;
  std::vector<float> box;
};
void PrintTo(const FormCase& c, std::ostream* out) { *out << c.name; }
class Forms : public ::testing::TestWithParam<FormCase> {};

// Each means the same box, 20 to 40 from the left and 30 to 70 from the top.
TEST_P(Forms, MeanTheSameBox) {
  const auto made = made_of(
      ", form: " + GetParam().params,
      {{"boxes", matrix({GetParam().box})}, {"scores", matrix({{0.9F}})}});
  ASSERT_EQ(boxes_of(made).size(), 1U);
  const auto got = boxes_of(made)[0];
  const std::vector<float> wanted = {20, 30, 40, 70};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(got[i], wanted[i], 1e-4F);
}

INSTANTIATE_TEST_SUITE_P(
    Boxes, Forms,
    ::testing::ValuesIn<FormCase>({
        {"Corners", "xyxy", {20, 30, 40, 70}},
        {"CornersDownFirst", "yxyx", {30, 20, 70, 40}},
        {"LeftTopAndSize", "xywh", {20, 30, 20, 40}},
        {"CentreAndSize", "cxcywh", {30, 50, 20, 40}},
        {"Relative", "cxcywh, units: relative", {0.3F, 0.5F, 0.2F, 0.4F}},
        {"OfSizedPixels",
         "cxcywh, units: relative, size: [200, 50]",
         {0.6F, 0.25F, 0.4F, 0.2F}},
        {"FromACell", "anchors, strides: [100]", {-20, 0, 20, 40}},
        {"RelativeFromACell",
         "anchors, strides: [100], units: relative",
         {-0.2F, 0, 0.2F, 0.4F}},
    }),
    [](const auto& test) { return test.param.name; });

TEST(Boxes, DistributionsAreTheirMean) {
  // Two bins each: sides at 0 or 1 strides, each as likely; then two sure ones.
  const float sure = 100;
  const auto numbers = at::cat({at::zeros({1, 8}),
                                matrix({{sure, 0, sure, 0, 0, sure, 0, sure}}),
                                at::zeros({2, 8})});
  const auto scores = matrix({{0.9F}, {0.8F}, {0}, {0}});
  const auto made = made_of(", form: dfl, strides: [50]",
                            {{"boxes", numbers}, {"scores", scores}});
  EXPECT_EQ(boxes_of(made), (Rows{{0, 0, 50, 50}, {75, 25, 125, 75}}));
}

TEST(Boxes, GridsStandOneBehindTheOther) {
  // Strides 50 (2 by 2 cells of two boxes) and 100 (one cell of one box).
  const auto boxes = at::zeros({9, 4});
  boxes.select(1, 2).fill_(10);
  boxes.select(1, 3).fill_(10);
  auto scores = at::zeros({9, 1});
  scores[3][0] = 0.9F;  // the second cell's second box
  scores[8][0] = 0.8F;  // the larger grid's
  const auto made =
      made_of(", form: anchors, strides: [50, 100], per_cell: [2]",
              {{"boxes", boxes}, {"scores", scores}});
  EXPECT_EQ(boxes_of(made), (Rows{{70, 20, 80, 30}, {45, 45, 55, 55}}));
  EXPECT_THAT(
      error_of(", form: anchors, strides: [50, 100]",
               {{"boxes", boxes}, {"scores", scores}}),
      HasSubstr("'boxes' has 9 boxes, but pixels of 100 by 100 make 5 cells"));
  EXPECT_THAT(error_of(", form: anchors, strides: [1]",
                       {{"boxes", boxes}, {"scores", scores}}),
              HasSubstr("'boxes' has 9 boxes"));
}

TEST(Boxes, SeveralTensorsAreOneBehindTheOther) {
  const auto made =
      made_of(", boxes: [a, b], scores: [c, d]",
              {{"a", matrix({{0, 0, 10, 10}})},
               {"b", matrix({{50, 50, 60, 60}, {70, 70, 90, 90}})},
               {"c", matrix({{0.5F, 0.1F}})},
               {"d", matrix({{0.1F, 0.9F}, {0.2F, 0.1F}})}});
  EXPECT_EQ(boxes_of(made), (Rows{{50, 50, 60, 60}, {0, 0, 10, 10}}));
  const auto kinds = get(made.decoded.at(0).tensors, "classes");
  EXPECT_EQ(kinds[0].item<int>(), 1);
  EXPECT_EQ(kinds[1].item<int>(), 0);
}

TEST(Boxes, OneTensorMayHoldAllOfIt) {
  // As YOLO gives it: [4 + classes, boxes]; and with objectness.
  const auto rows =
      matrix({{30, 50, 20, 40, 0.1F, 0.8F}, {80, 80, 10, 10, 0.1F, 0.1F}});
  const auto made = made_of(", form: cxcywh, scores: [], transposed: true",
                            {{"boxes", rows.t().contiguous()}});
  EXPECT_EQ(boxes_of(made), (Rows{{20, 30, 40, 70}}));
  EXPECT_EQ(get(made.decoded.at(0).tensors, "classes").item<int>(), 1);
  const auto sure =
      made_of(", form: cxcywh, scores: [], objectness: true",
              {{"boxes", matrix({{30, 50, 20, 40, 0.5F, 0.8F}})}});
  EXPECT_FLOAT_EQ(get(sure.decoded.at(0).tensors, "scores").item<float>(),
                  0.4F);
}

TEST(Boxes, TransformersGiveTheirBackgroundLast) {
  const auto made = made_of(
      ", form: cxcywh, units: relative, activation: softmax, background: last, "
      "overlap: 1",
      {{"boxes", matrix({{0.3F, 0.5F, 0.2F, 0.4F},
                         {0.3F, 0.5F, 0.2F, 0.4F},
                         {0.5F, 0.5F, 1, 1}})},
       {"scores", matrix({{3, 0, 0}, {0, 3, 0}, {0, 0, 9}})}});
  EXPECT_EQ(boxes_of(made).size(), 2U);  // two of the same place
  EXPECT_NEAR(get(made.decoded.at(0).tensors, "scores")[0].item<float>(),
              std::exp(3.0) / (std::exp(3.0) + 2), 1e-6);
}

TEST(Boxes, AModelMayNameTheClassItself) {
  const auto made =
      made_of(", classes: kinds", {{"boxes", matrix({{0, 0, 10, 10}})},
                                   {"scores", at::tensor({0.9F})},
                                   {"kinds", at::tensor({17.0F})}});
  EXPECT_EQ(get(made.decoded.at(0).tensors, "classes").item<int>(), 17);
}

TEST(Boxes, LieInThePicture) {
  const auto made = made_of("",
                            {{"boxes", matrix({{10, 30, 50, 50},    // inside
                                               {-50, 0, 20, 95},    // beyond it
                                               {60, 0, 90, 20}})},  // outside
                             {"scores", matrix({{0.9F}, {0.8F}, {0.7F}})}},
                            letterboxed());
  EXPECT_EQ(boxes_of(made), (Rows{{20, 10, 100, 50}, {0, 0, 40, 100}}));
}

TEST(Boxes, OfACropLieInTheWholePicture) {
  // Shortest side to 50, then the middle 40 by 40: 200 by 100 became 100 by 50.
  const Notes notes = {{"seen", Tokens{0, 0, 200, 100, -30, -5, 100, 50}},
                       {"width", std::int64_t{200}},
                       {"height", std::int64_t{100}}};
  const auto made = made_of(
      "", {{"boxes", matrix({{0, 0, 40, 40}})}, {"scores", matrix({{0.9F}})}},
      notes);
  EXPECT_EQ(boxes_of(made), (Rows{{60, 10, 140, 90}}));
}

TEST(Boxes, OfAPictureOfOnePixel) {
  const Notes notes = {{"seen", Tokens{0, 0, 1, 1, 0, 0, 100, 100}},
                       {"width", std::int64_t{1}},
                       {"height", std::int64_t{1}}};
  const auto made = made_of(
      "", {{"boxes", matrix({{25, 0, 175, 50}})}, {"scores", matrix({{0.9F}})}},
      notes);
  EXPECT_EQ(boxes_of(made), (Rows{{0.25F, 0, 1, 0.5F}}));
}

TEST(Boxes, WhereNothingIsFoundTheBestScoreIsSaid) {
  const Tensors outputs = {{"boxes", matrix({{0, 0, 10, 10}, {5, 5, 5, 9}})},
                           {"scores", matrix({{0.125F}, {0.9F}})}};
  const auto made = made_of(", threshold: 0.95", outputs);
  EXPECT_EQ(get(made.decoded.at(0).tensors, "boxes").sizes(),
            at::IntArrayRef({0, 4}));
  EXPECT_FLOAT_EQ(static_cast<float>(get(made.decoded.at(0).notes, kBestScore)),
                  0.9F);
  // A box without an area is none.
  EXPECT_TRUE(boxes_of(made_of(", threshold: 0.5", outputs)).empty());
  EXPECT_EQ(find(made_of(", threshold: 0.1", outputs).decoded.at(0).notes,
                 kBestScore),
            nullptr);
}

TEST(Boxes, NoBoxesAreNothingFound) {
  const auto made = made_of(
      "", {{"boxes", at::zeros({0, 4})}, {"scores", at::zeros({0, 3})}});
  EXPECT_TRUE(boxes_of(made).empty());
  EXPECT_EQ(get(made.decoded.at(0).notes, kBestScore), 0);
}

TEST(Boxes, TenThousandAreNoTrouble) {
  const auto corners = at::rand({10'000, 2}).mul(90);
  const auto boxes = at::cat({corners, corners + 5}, 1);
  const auto scores = at::rand({10'000, 80});
  const Tensors outputs = {{"boxes", boxes}, {"scores", scores}};
  EXPECT_EQ(boxes_of(made_of(", threshold: 0", outputs)).size(), 100U);
  const auto all =
      boxes_of(made_of(", threshold: 0, max: 10000, by_class: false", outputs));
  EXPECT_GT(all.size(), 100U);
  EXPECT_LT(all.size(), 10'000U);
}

TEST(Boxes, MayBeTheMeanOfThoseTheyStandFor) {
  const Tensors outputs = {
      {"boxes", matrix({{0, 0, 40, 40}, {4, 0, 44, 40}, {60, 60, 70, 70}})},
      {"scores", matrix({{0.75F}, {0.25F}, {0.5F}})}};
  EXPECT_EQ(boxes_of(made_of(", mean: true, threshold: 0.2", outputs)),
            (Rows{{1, 0, 41, 40}, {60, 60, 70, 70}}));
  // One that is left out for another still counts where no more are given.
  EXPECT_EQ(boxes_of(made_of(", mean: true, threshold: 0.2, max: 1", outputs)),
            (Rows{{1, 0, 41, 40}}));
  EXPECT_EQ(boxes_of(made_of(", threshold: 0.2, max: 1", outputs)),
            (Rows{{0, 0, 40, 40}}));
}

TEST(Boxes, SayWhatIsWrong) {
  const auto one = matrix({{0, 0, 1, 1}});
  const auto score = matrix({{0.9F}});
  EXPECT_THAT(error_of("", {{"output0", one}, {"scores", score}}),
              HasSubstr("port 'boxes': missing; given: output0, scores"));
  EXPECT_THAT(error_of("", {{"boxes", matrix({{1, 2}})}, {"scores", score}}),
              HasSubstr("'boxes' is [1,2] for an item, expected [boxes, 4 or "
                        "more]"));
  EXPECT_THAT(error_of("", {{"boxes", one}, {"scores", at::zeros({2, 1})}}),
              HasSubstr("there are 1 boxes, but 2 scores"));
  EXPECT_THAT(error_of(", scores: []", {{"boxes", one}}),
              HasSubstr("'boxes' has 4 numbers a box, expected more than 4"));
  EXPECT_THAT(
      error_of(", background: first", {{"boxes", one}, {"scores", score}}),
      HasSubstr("the model scores one class"));
  const float none = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(error_of("", {{"boxes", one}, {"scores", matrix({{none}})}}),
              HasSubstr("scores are not finite"));
  EXPECT_THAT(
      error_of("", {{"boxes", matrix({{0, none, 1, 1}})}, {"scores", score}}),
      HasSubstr("a box of the model's is not finite"));
  EXPECT_THAT(error_of("", {{"boxes", one}, {"scores", score}},
                       {{"seen", Tokens{1, 2}},
                        {"width", std::int64_t{1}},
                        {"height", std::int64_t{1}}}),
              HasSubstr("the note 'seen' is not two rectangles"));
}

TEST(Boxes, ParamsThatDoNotGoTogetherAreRefused) {
  EXPECT_THAT(error_of(", form: dfl", {}), HasSubstr("needs the strides"));
  EXPECT_THAT(error_of(", strides: [8]", {}),
              HasSubstr("strides belong to form: anchors"));
  EXPECT_THAT(error_of(", boxes: []", {}), HasSubstr("boxes names no tensor"));
  EXPECT_THAT(error_of(", objectness: true", {}), HasSubstr("scores: []"));
}

TEST(Boxes, AreAGoodStage) {
  EXPECT_EQ(
      testing::stage_faults("{use: core.boxes}",
                            {.items = {{.notes = letterboxed()}},
                             .outputs = {{{"boxes", matrix({{10, 30, 50, 50}})},
                                          {"scores", matrix({{0.9F}})}}}}),
      "");
}

}  // namespace
}  // namespace penstock::core
