// The named recipes against transformers' image processors.
#include "image/recipe.h"

#include <ATen/ops/abs.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/sum.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "tests/plugins/image/support.h"

namespace penstock::image {
namespace {

constexpr PanAndScan kPanAndScan{
    .min_crop = 256, .max_crops = 4, .min_ratio = 1.2};

at::Tensor values(const at::Tensor& picture, const std::string& name,
                  const std::string& backend) {
  Recipe recipe = preset(name);
  recipe.backend = backend;
  std::vector<at::Tensor> views{picture};
  if (name == "gemma3") {
    for (const auto& part : pan_and_scan(picture, kPanAndScan)) {
      views.push_back(part.pixels);
    }
  }
  std::vector<at::Tensor> out;
  out.reserve(views.size());
  for (const auto& view : views) {
    out.push_back(normalize(reshape(view, recipe), recipe));
  }
  return at::stack(out);
}

class Processor : public testing::TestWithParam<const char*> {};

TEST_P(Processor, EqualsTransformers) {
  const std::string name = GetParam();
  const auto cases = golden("processed.json");
  ASSERT_GE(cases.size(), 20U);
  for (const auto& each : cases) {
    const auto picture =
        noise(each["height"], each["width"], each["seed"].get<unsigned>());
    SCOPED_TRACE(each["height"].dump() + "x" + each["width"].dump());
    const auto exact = values(picture, name, "pillow");
    EXPECT_EQ(exact.size(0), each[name]["count"].get<std::int64_t>());
    EXPECT_EQ(digest(exact), each[name]["sha256"]);
  }
}

/// libtorch rounds its weights to 16 bits in each of two passes. On what
/// photographs are like that is seldom more than a step.
TEST_P(Processor, IsMetByTorchWithinAStep) {
  const std::string name = GetParam();
  const auto& std = preset(name).std;
  const double step = 1.0001 / 255 / *std::min_element(std.begin(), std.end());
  const auto cases = golden("processed.json");
  std::int64_t all = 0;
  std::int64_t more = 0;
  for (const auto& each : cases) {
    const auto picture =
        clouds(each["height"], each["width"], each["seed"].get<unsigned>());
    const auto difference = values(picture, name, "pillow")
                                .sub(values(picture, name, "torch_aa"))
                                .abs();
    all += difference.numel();
    more += difference.gt(step).sum().item().toLong();
    EXPECT_LE(difference.max().item().toDouble(), 2 * step)
        << each["height"] << "x" << each["width"];
  }
  std::cout << name << ": " << more << " of " << all
            << " values differ by more than 1/255\n";
  EXPECT_LT(more * 1000, all);
}

INSTANTIATE_TEST_SUITE_P(Image, Processor,
                         testing::Values("siglip", "clip", "vit", "gemma3"),
                         [](const auto& about) { return about.param; });

TEST(Recipe, LetterboxKeepsProportionsAndCentres) {
  Recipe recipe;
  recipe.fit = "letterbox";
  recipe.size = {40, 60};
  recipe.pad_value = 7;
  const auto out = reshape(noise(10, 10, 1), recipe);
  ASSERT_EQ(out.sizes(), at::IntArrayRef({40, 60, 3}));
  EXPECT_TRUE(out.narrow(1, 0, 10).eq(7).all().item<bool>());
  EXPECT_TRUE(out.narrow(1, 50, 10).eq(7).all().item<bool>());
  EXPECT_FALSE(out.narrow(1, 10, 1).eq(7).all().item<bool>());
}

TEST(Recipe, MediaPipesLetterboxMayLieBetweenPixels) {
  Recipe recipe;
  recipe.fit = "letterbox";
  recipe.backend = "mediapipe";
  recipe.size = {4};
  recipe.pad_value = 8;
  // A row of 4 by 1: its room begins 1.5 rows above it.
  const auto out = reshape(at::full({1, 4, 3}, 200, at::kByte), recipe);
  ASSERT_EQ(out.sizes(), at::IntArrayRef({4, 4, 3}));
  EXPECT_EQ(out[0].max().item<int>(), 8);
  EXPECT_EQ(out[1].narrow(0, 0, 3).min().item<int>(), 104);  // half of each
  EXPECT_EQ(out[2].narrow(0, 0, 3).max().item<int>(), 104);
  EXPECT_EQ(out[3].max().item<int>(), 8);
  RecipeParams params;
  params.backend = "mediapipe";
  EXPECT_EQ(conflict(params), "backend: mediapipe belongs to fit: letterbox");
}

struct SeenCase {
  std::string name;
  Recipe recipe;
  std::vector<std::int64_t> wanted;  ///< of a picture of 200 by 100
};
void PrintTo(const SeenCase& c, std::ostream* out) { *out << c.name; }
class SeenPart : public testing::TestWithParam<SeenCase> {};

// A white column and row at a place of the picture lie where `seen` says.
TEST_P(SeenPart, IsWhereThePixelsComeFrom) {
  Seen seen;
  auto picture = at::full({100, 200, 3}, 0, at::kByte);
  picture.narrow(1, 96, 8).fill_(255);
  picture.narrow(0, 46, 8).fill_(255);
  const auto out = reshape(picture, GetParam().recipe, &seen);
  EXPECT_EQ(seen.note(), GetParam().wanted);
  const auto place = [](std::int64_t at, std::int64_t from, std::int64_t size,
                        std::int64_t to, std::int64_t scaled) {
    return to + (at - from) * scaled / size;
  };
  const std::int64_t x =
      place(100, seen.of.left, seen.of.width, seen.at.left, seen.at.width);
  const std::int64_t y =
      place(50, seen.of.top, seen.of.height, seen.at.top, seen.at.height);
  EXPECT_GT(out[y][x][0].item<int>(), 200);
  const std::int64_t near = 20 * seen.at.width / seen.of.width;
  EXPECT_LT(out[std::max<std::int64_t>(0, y - near)]
               [std::max<std::int64_t>(0, x - near)][0]
                   .item<int>(),
            50);
}

INSTANTIATE_TEST_SUITE_P(
    Recipe, SeenPart,
    testing::ValuesIn<SeenCase>({
        {"Whole", {}, {0, 0, 200, 100, 0, 0, 200, 100}},
        {"Stretch",
         {.fit = "stretch", .size = {50, 80}},
         {0, 0, 200, 100, 0, 0, 80, 50}},
        {"Letterbox",
         {.fit = "letterbox", .size = {100}},
         {0, 0, 200, 100, 0, 25, 100, 50}},
        {"MediaPipesLetterbox",
         {.fit = "letterbox", .size = {100}, .backend = "mediapipe"},
         {0, -50, 200, 200, 0, 0, 100, 100}},
        {"ShortestAndCrop",
         {.fit = "shortest", .size = {50}, .crop = {40}},
         {0, 0, 200, 100, -30, -5, 100, 50}},
        {"LargerCrop",
         {.fit = "shortest", .size = {50}, .crop = {60, 110}},
         {0, 0, 200, 100, 5, 5, 100, 50}},
        {"LeastOfALargeOne",
         {.fit = "least", .size = {80}, .multiple = 32},
         {0, 0, 200, 100, 0, 0, 192, 96}},
        {"LeastOfASmallOne",
         {.fit = "least", .size = {160}, .multiple = 32},
         {0, 0, 200, 100, 0, 0, 320, 160}},
        {"Height",
         {.fit = "height", .size = {48}},
         {0, 0, 200, 100, 0, 0, 96, 48}},
        {"HeightAndMostWidth",
         {.fit = "height", .size = {48, 80}},
         {0, 0, 200, 100, 0, 0, 80, 48}},
        {"Square",
         {.square = 0.5, .fit = "stretch", .size = {20}},
         {75, 25, 50, 50, 0, 0, 20, 20}},
    }),
    [](const auto& test) { return test.param.name; });

TEST(Recipe, ARoomIsFilledWithZeros) {
  Recipe recipe;
  recipe.fit = "height";
  recipe.size = {4};
  recipe.room = {4, 10};
  recipe.multiple = 8;
  recipe.mean = {2};
  const auto small =
      normalize(reshape(at::full({2, 3, 3}, 255, at::kByte), recipe), recipe);
  EXPECT_EQ(small.sizes(), at::IntArrayRef({3, 4, 16}));
  EXPECT_EQ(small[0][3][5].item<float>(), -1);
  EXPECT_EQ(small[0][3][6].item<float>(), 0);
  const auto large = normalize(at::full({4, 20, 3}, 255, at::kByte), recipe);
  EXPECT_EQ(large.sizes(), at::IntArrayRef({3, 4, 24}));
}

TEST(Recipe, AThinPictureIsNoTrouble) {
  Recipe recipe;
  recipe.fit = "least";
  recipe.size = {736};
  recipe.multiple = 32;
  EXPECT_THROW((void)reshape(at::full({1, 200, 3}, 0, at::kByte), recipe),
               Error);
  recipe.fit = "height";
  EXPECT_THROW((void)reshape(at::full({1, 200, 3}, 0, at::kByte), recipe),
               Error);
  EXPECT_EQ(reshape(at::full({200, 1, 3}, 0, at::kByte), recipe).size(1), 4);
}

TEST(Recipe, CropOfASmallerPictureIsLaidOnBlack) {
  Recipe recipe;
  recipe.crop = {5};
  const auto out = reshape(noise(3, 9, 1).fill_(9), recipe);
  EXPECT_EQ(out.sizes(), at::IntArrayRef({5, 5, 3}));
  EXPECT_EQ(out.sum().item<std::int64_t>(), 9 * 3 * 5 * 3);
}

TEST(Recipe, ChannelsAreWhatTheirNameSays) {
  auto picture = noise(1, 1, 1);
  picture.copy_(
      at::stack({picture[0][0][0].fill_(10), picture[0][0][1].fill_(20),
                 picture[0][0][2].fill_(30)})
          .view({1, 1, 3}));
  Recipe recipe;
  recipe.scale = 1;
  recipe.channels = "bgr";
  EXPECT_EQ(normalize(picture, recipe)[0].item<float>(), 30);
  recipe.channels = "grey";
  // (10 * 19595 + 20 * 38470 + 30 * 7471 + 32768) >> 16
  EXPECT_EQ(normalize(picture, recipe).item<float>(), 18);
}

TEST(Recipe, OpenCvDoesNotAntialias) {
  const auto picture = noise(400, 400, 3);
  const auto sharp = resize(picture, 40, 40, Filter::kBilinear, "opencv");
  const auto smooth = resize(picture, 40, 40, Filter::kBilinear, "pillow");
  EXPECT_GT(sharp.to(at::kFloat).std().item<double>(),
            2 * smooth.to(at::kFloat).std().item<double>());
}

}  // namespace
}  // namespace penstock::image
