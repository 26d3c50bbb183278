// image.turn: a picture upright, by what a classifier says of it.
#include "image/turn.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/rot90.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "penstock/testing/stage_faults.h"
#include "tests/plugins/image/support.h"

namespace penstock::image {
namespace {

using ::testing::HasSubstr;

testing::Given said(std::int64_t kind, float score, const at::Tensor& picture) {
  Decoded decoded;
  decoded.tensors = {{"classes", at::tensor({kind}, at::kLong)},
                     {"scores", at::tensor({score})}};
  return {.inputs = {{"image", Tensors{{"image", picture}}}},
          .items = {{}},
          .decoded = {decoded}};
}

struct Upright {
  at::Tensor picture;
  std::string text, json;
};

Upright upright(const std::string& params, const testing::Given& given) {
  const auto made =
      testing::run_stage("{use: image.turn" + params + "}", given);
  Upright out;
  out.text = made.outcome.text();
  out.json = made.outcome.json();
  for (const Value& piece : made.outcome.pieces.at(0)) {
    const auto* output = std::get_if<Tensors>(&piece);
    if (output != nullptr) out.picture = get(*output, "image");
  }
  return out;
}

TEST(Turn, TakesBackEveryQuarter) {
  const auto picture = noise(4, 6, 1);
  for (const std::int64_t quarters : {0, 1, 2, 3}) {
    const auto lying = at::rot90(picture, -quarters, {0, 1});  // clockwise
    const auto got = upright(", angles: [0, 90, 180, 270]",
                             said(quarters, 0.75F, lying.contiguous()));
    EXPECT_TRUE(at::equal(got.picture, picture)) << quarters;
  }
  const auto got = upright(", angles: [0, 270]", said(1, 0.75F, picture));
  EXPECT_EQ(got.text, "0.750  was turned by 270 degrees");
  EXPECT_EQ(got.json, R"({"angle":270,"score":0.75,"is_turned":true})");
}

TEST(Turn, WhoIsNotSureTurnsNothing) {
  const auto picture = noise(4, 6, 1);
  const auto got =
      upright(", angles: [0, 180], threshold: 0.9", said(1, 0.75F, picture));
  EXPECT_TRUE(at::equal(got.picture, picture));
  EXPECT_EQ(got.text, "0.750  may be turned by 180 degrees");
  EXPECT_EQ(got.json, R"({"angle":180,"score":0.75,"is_turned":false})");
  EXPECT_EQ(upright(", angles: [0, 180]", said(0, 0.5F, picture)).text,
            "0.500  upright");
}

TEST(Turn, SaysWhatIsWrong) {
  const auto error_of = [](const std::string& params, std::int64_t kind) {
    try {
      (void)upright(params, said(kind, 1, noise(2, 2, 1)));
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(error_of(", angles: [0, 45]", 0),
              HasSubstr("angles: 45 is none of 0, 90, 180 and 270"));
  EXPECT_THAT(error_of(", angles: [0, 180]", 2),
              HasSubstr("the model says class 2, but postprocess.angles has "
                        "angles for 2 classes"));
}

TEST(Turn, IsAGoodStage) {
  EXPECT_EQ(testing::stage_faults("{use: image.turn, angles: [0, 180]}",
                                  said(1, 0.5F, noise(4, 6, 1))),
            "");
}

}  // namespace
}  // namespace penstock::image
