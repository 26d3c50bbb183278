// image.draw_mask: lines, COCO's run lengths, drawings.
#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "image/draw.h"
#include "lib/pictures/rle.h"
#include "penstock/keys.h"
#include "penstock/testing/stage_faults.h"
#include "tests/plugins/image/support.h"

namespace penstock::image {
namespace {

using ::testing::HasSubstr;

TEST(Rle, IsWhatPycocotoolsWrites) {
  std::ifstream file(PENSTOCK_SOURCE_DIR "/tests/golden/decoders/rle.json");
  for (const auto& each : nlohmann::json::parse(file)) {
    const auto mask = each["mask"].get<std::vector<std::uint8_t>>();
    const auto runs = pictures::run_lengths(mask, each["height"], each["width"],
                                            /*kind=*/1);
    EXPECT_EQ(pictures::coco_counts(runs), each["counts"].get<std::string>());
  }
}

testing::Given given_mask(const at::Tensor& mask, const Notes& notes = {}) {
  Decoded decoded;
  decoded.tensors = {{"mask", mask}};
  decoded.notes = notes;
  const auto picture = at::full({mask.size(0), mask.size(1), 3}, 0, at::kByte);
  return {.inputs = {{"image", Tensors{{"image", picture}}}},
          .decoded = {decoded}};
}

at::Tensor small_mask() {
  return at::tensor({0, 1, 1, 0, 7, 1}).to(at::kByte).view({2, 3});
}

TEST(DrawMask, WritesLinesAndJson) {
  const auto made =
      testing::run_stage("{use: image.draw_mask}", given_mask(small_mask()));
  EXPECT_EQ(made.outcome.text(), "50.0%  class 1\n16.7%  class 7");
  EXPECT_EQ(made.outcome.json(),
            R"({"masks":[{"id":1,"label":"class 1","area":3,)"
            R"("rle":{"size":[2,3],"counts":"2111"}},)"
            R"({"id":7,"label":"class 7","area":1,)"
            R"("rle":{"size":[2,3],"counts":"312"}}]})");
}

TEST(DrawMask, LeavesOutNamesWhereNoneAreNeeded) {
  const auto made = testing::run_stage("{use: image.draw_mask, labels: none}",
                                       given_mask(small_mask()));
  EXPECT_EQ(made.outcome.text(), "50.0%\n16.7%");
  EXPECT_THAT(made.outcome.json(), HasSubstr(R"([{"id":1,"area":3,)"));
}

TEST(DrawMask, SaysTheBestScoreWhereNothingWasFound) {
  const auto made = testing::run_stage(
      "{use: image.draw_mask}",
      given_mask(at::zeros({2, 2}, at::kByte), {{"best_score", 0.25}}));
  EXPECT_EQ(made.outcome.text(), "nothing found; the best score was 0.250");
  EXPECT_EQ(made.outcome.json(), R"({"masks":[],"best_score":0.25})");
}

TEST(DrawMask, LaysColoursOverThePicture) {
  auto mask = at::zeros({480, 640}, at::kByte);
  mask.narrow(0, 100, 100).fill_(3);
  const auto drawn =
      with_mask(at::full({480, 640, 3}, 100, at::kByte), mask, 0);
  EXPECT_EQ(drawn[50][50][0].item<int>(), 100);
  EXPECT_NE(drawn[150][50][0].item<int>(), 100);
}

TEST(DrawMask, IsAGoodStage) {
  EXPECT_EQ(
      testing::stage_faults("{use: image.draw_mask}", given_mask(small_mask())),
      "");
}

}  // namespace
}  // namespace penstock::image
