// image.text_boxes against rapidocr on drawn maps.
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "image/text_lines.h"
#include "penstock/keys.h"
#include "penstock/testing/stage_faults.h"

namespace penstock::image {
namespace {

using ::testing::HasSubstr;
using LinesJson = nlohmann::json;

const std::string kGolden = PENSTOCK_SOURCE_DIR "/tests/golden/text_lines/";

at::Tensor map_of(const LinesJson& each) {
  std::ifstream file(kGolden + each["map"].get<std::string>(),
                     std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const std::int64_t height = each["height"];
  const std::int64_t width = each["width"];
  EXPECT_EQ(static_cast<std::int64_t>(bytes.size()), height * width);
  return at::from_blob(bytes.data(), {1, height, width}, at::kByte)
      .to(at::kFloat)
      .div(255);
}

/// The map was made of the whole picture.
Notes notes_of(const LinesJson& each) {
  const std::int64_t height = each["picture_height"];
  const std::int64_t width = each["picture_width"];
  return {{"seen",
           Tokens{0, 0, width, height, 0, 0, each["width"], each["height"]}},
          {"width", width},
          {"height", height}};
}

testing::Made made_of_map(const at::Tensor& map, const Notes& notes = {},
                          const std::string& params = "") {
  return testing::run_stage(
      "{use: image.text_boxes" + params + "}",
      {.items = {{.notes = notes}}, .outputs = {{{"map", map}}}});
}

// Rounding a corner may fall to either side: a pixel of the map is 2 by 3 of
// the picture.
TEST(TextBoxes, AreWhereRapidocrFindsThem) {
  std::ifstream file(kGolden + "lines.json");
  std::size_t lines = 0;
  for (const auto& each : LinesJson::parse(file)) {
    const auto made = made_of_map(map_of(each), notes_of(each));
    const auto& got = made.decoded.at(0).tensors;
    const auto corners = get(got, "corners");
    const auto& wanted = each["in_order"];
    ASSERT_EQ(corners.size(0), static_cast<std::int64_t>(wanted.size()))
        << each["map"];
    for (std::size_t i = 0; i < wanted.size(); ++i, ++lines) {
      const auto* const c = corners.const_data_ptr<float>() + 8 * i;
      for (std::size_t k = 0; k < 8; ++k) {
        EXPECT_NEAR(c[k], wanted[i][k].get<float>(), 0.5F)
            << each["map"] << ", line " << i << ", number " << k;
      }
      for (const auto& line : each["lines"]) {
        if (line["corners"] != wanted[i]) continue;
        EXPECT_NEAR(
            get(got, "scores")[static_cast<std::int64_t>(i)].item<double>(),
            line["score"].get<double>(), 1e-5);
      }
    }
  }
  EXPECT_GE(lines, 12U);
}

TEST(TextBoxes, BoxesAreAroundTheCorners) {
  auto map = at::zeros({1, 40, 80});
  map[0].narrow(0, 10, 8).narrow(1, 20, 40).fill_(0.9);
  const auto made = made_of_map(map);
  const auto box = get(made.decoded.at(0).tensors, "boxes");
  ASSERT_EQ(box.size(0), 1);
  EXPECT_LT(box[0][0].item<float>(), 20);
  EXPECT_LT(box[0][1].item<float>(), 10);
  EXPECT_GT(box[0][2].item<float>(), 60);
  EXPECT_GT(box[0][3].item<float>(), 18);
  EXPECT_EQ(get(made.decoded.at(0).tensors, "classes").item<int>(), 0);
}

TEST(TextBoxes, WhereThereIsNoTextTheBestScoreIsSaid) {
  const auto made = made_of_map(at::full({1, 8, 8}, 0.25));
  EXPECT_EQ(get(made.decoded.at(0).tensors, "corners").sizes(),
            at::IntArrayRef({0, 8}));
  EXPECT_EQ(get(made.decoded.at(0).notes, kBestScore), 0.25);
  EXPECT_EQ(
      get(made_of_map(at::zeros({1, 0, 0})).decoded.at(0).notes, kBestScore),
      0);
}

TEST(TextBoxes, AMapThatIsTextAllOver) {
  const auto made = made_of_map(at::full({1, 20, 30}, 1.0));
  EXPECT_EQ(get(made.decoded.at(0).tensors, "boxes").size(0), 1);
  const auto one = made_of_map(at::full({1, 1, 1}, 1.0));
  EXPECT_EQ(get(one.decoded.at(0).tensors, "boxes").size(0), 0);
}

TEST(TextBoxes, NotANumberFailsItsItem) {
  const float none = std::numeric_limits<float>::quiet_NaN();
  try {
    (void)made_of_map(at::full({1, 8, 8}, none));
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("map is not finite"));
  }
}

TEST(TextBoxes, AreAGoodStage) {
  EXPECT_EQ(testing::stage_faults(
                "{use: image.text_boxes}",
                {.outputs = {{{"map", at::full({1, 20, 30}, 1.0)}}}}),
            "");
}

}  // namespace
}  // namespace penstock::image
