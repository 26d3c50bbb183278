// image.draw_boxes: lines, JSON, drawings and crops of what was found.
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <utility>

#include "image/crop.h"
#include "image/decode.h"
#include "image/draw.h"
#include "image/draw_boxes.h"
#include "penstock/keys.h"
#include "penstock/testing/stage_faults.h"
#include "tests/plugins/image/support.h"

namespace penstock::image {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

Decoded found(const std::vector<float>& boxes,
              const std::vector<std::int64_t>& kinds,
              const std::vector<float>& scores) {
  Decoded decoded;
  const auto count = static_cast<std::int64_t>(kinds.size());
  decoded.tensors = {{"boxes", at::tensor(boxes, at::kFloat).view({count, 4})},
                     {"classes", at::tensor(kinds, at::kLong)},
                     {"scores", at::tensor(scores, at::kFloat)}};
  return decoded;
}

testing::Given given_boxes(const at::Tensor& picture, const Decoded& decoded,
                           const Notes& notes = {}) {
  return {.inputs = {{"image", Tensors{{"image", picture}}}},
          .items = {{.notes = notes}},
          .decoded = {decoded}};
}

/// A folder that is gone with the test.
struct BoxFolder {
  BoxFolder() : path(::testing::TempDir() + "/penstock_boxes") { clean(); }
  ~BoxFolder() { clean(); }
  void clean() const { fs::remove_all(path); }
  std::string path;
};

TEST(DrawBoxes, WritesLinesAndJson) {
  const BoxFolder folder;
  fs::create_directories(folder.path);
  const std::string labels = folder.path + "/labels.txt";
  std::ofstream(labels) << "cat\ndog\n";
  const auto made = testing::run_stage(
      "{use: image.draw_boxes, labels: '" + labels + "'}",
      given_boxes(
          at::zeros({100, 200, 3}, at::kByte),
          found({10, 20.126F, 30, 40, 0, 0, 200, 100}, {1, 7}, {0.75F, 0.5F})));
  EXPECT_EQ(made.outcome.text(),
            "0.750  dog  at 10,20 to 30,40\n"
            "0.500  class 7  at 0,0 to 200,100");
  EXPECT_EQ(made.outcome.json(),
            R"({"boxes":[{"id":1,"label":"dog","score":0.75,)"
            R"("box":[10.0,20.13,30.0,40.0]},)"
            R"({"id":7,"label":"class 7","score":0.5,)"
            R"("box":[0.0,0.0,200.0,100.0]}]})");
}

TEST(DrawBoxes, LeavesOutNamesWhereNoneAreNeeded) {
  const auto made =
      testing::run_stage("{use: image.draw_boxes, labels: none}",
                         given_boxes(at::zeros({4, 4, 3}, at::kByte),
                                     found({0, 0, 4, 4}, {0}, {0.5F})));
  EXPECT_EQ(made.outcome.text(), "0.500  at 0,0 to 4,4");
  EXPECT_EQ(made.outcome.json(),
            R"({"boxes":[{"id":0,"score":0.5,"box":[0.0,0.0,4.0,4.0]}]})");
}

TEST(DrawBoxes, SaysTheBestScoreWhereNothingWasFound) {
  Decoded none = found({}, {}, {});
  set(none.notes, kBestScore, 0.125);
  const auto made =
      testing::run_stage("{use: image.draw_boxes}",
                         given_boxes(at::zeros({4, 4, 3}, at::kByte), none));
  EXPECT_EQ(made.outcome.text(), "nothing found; the best score was 0.125");
  EXPECT_EQ(made.outcome.json(), R"({"boxes":[],"best_score":0.125})");
}

TEST(DrawBoxes, OfAFilmSayWhen) {
  const auto made = testing::run_stage(
      "{use: image.draw_boxes}",
      given_boxes(at::zeros({4, 4, 3}, at::kByte),
                  found({0, 0, 4, 4}, {0}, {0.5F}),
                  {{"time", 1.5}, {"frame", std::int64_t{45}}}));
  EXPECT_EQ(made.outcome.text(), "1.500 s  0.500  class 0  at 0,0 to 4,4");
  EXPECT_THAT(made.outcome.json(),
              HasSubstr(R"({"frames":[{"time":1.5,"frame":45,"boxes":[{)"));
}

/// A frame of 100 by 200 with one box of 50 pixels, seen small in a square.
Decoded frame_with_box(std::int64_t number, float left) {
  Decoded decoded = found({left, 0, left + 50, 50}, {0}, {0.5F});
  auto item = std::make_shared<Item>();
  item->index = number;
  item->notes = {{"time", static_cast<double>(number)},
                 {"frame", number},
                 {"width", std::int64_t{100}},
                 {"height", std::int64_t{200}}};
  item->inputs = {{"thumbnail", at::zeros({40, 40, 3}, at::kByte)}};
  decoded.item = item;
  return decoded;
}

class KeptText final : public OutputSink {
 public:
  void emit(Value value, int /*branch*/, bool /*is_final*/) override {
    if (const auto* more = std::get_if<std::string>(&value)) text += *more;
    if (const auto* more = std::get_if<Json>(&value)) json += more->text;
  }
  std::string text, json;
};

TEST(DrawBoxes, OfAFilmKeepTheirNumberAndStandOnASheet) {
  const BoxFolder folder;
  DrawBoxes::Params params;
  params.render = folder.path;
  params.track = "iou";
  DrawBoxes stage(params);
  Notes facts;
  StageContext context{.model = "", .facts = facts};
  stage.open(context);
  Request request;
  KeptText kept;
  const auto writer = stage.begin(request);
  for (const auto& [number, left] : {std::pair{0, 0.0F}, {1, 10.0F}}) {
    EXPECT_TRUE(writer->write(frame_with_box(number, left), kept));
  }
  writer->end(kept);
  EXPECT_EQ(kept.text,
            "0.000 s  0.500  class 0 #1  at 0,0 to 50,50\n"
            "1.000 s  0.500  class 0 #1  at 10,0 to 60,50");
  EXPECT_THAT(kept.json, HasSubstr(R"("box":[10.0,0.0,60.0,50.0],"track":1)"));
  const fs::path file = fs::directory_iterator(folder.path)->path();
  std::ifstream in(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const at::Tensor sheet = decode(bytes, {}).pixels;
  // Two cells, as large as the frame without its borders: 20 by 40.
  EXPECT_EQ(sheet.size(1), 8 + 2 * (20 + 8));
  EXPECT_GT(sheet[8 + 5][8][2].item<int>(), 100) << "the left edge of a box";
  EXPECT_EQ(sheet[8 + 30][8 + 5].max().item<int>(), 0);
}

TEST(DrawBoxes, DrawsOntoThePicture) {
  const BoxFolder folder;
  const auto made = testing::run_stage(
      "{use: image.draw_boxes, render: '" + folder.path + "'}",
      given_boxes(at::zeros({480, 640, 3}, at::kByte),
                  found({100, 200, 300, 400}, {0}, {0.5F})));
  const fs::path file = fs::directory_iterator(folder.path)->path();
  EXPECT_EQ(file.extension(), ".png");
  std::ifstream in(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const at::Tensor drawn = decode(bytes, {}).pixels;
  ASSERT_EQ(drawn.sizes(), at::IntArrayRef({480, 640, 3}));
  EXPECT_GT(drawn[300][100][0].item<int>(), 100);  // its left edge
  EXPECT_GT(drawn[400][250][0].item<int>(), 100);  // its lower one
  EXPECT_EQ(drawn[300][200].max().item<int>(), 0);
  EXPECT_EQ(drawn[100][500].max().item<int>(), 0);
}

TEST(DrawBoxes, OfAPictureOfOnePixel) {
  const auto drawn =
      with_boxes(at::zeros({1, 1, 3}, at::kByte), {{.left = 0,
                                                    .top = 0,
                                                    .right = 1,
                                                    .bottom = 1,
                                                    .text = "\xC3\xA9",
                                                    .kind = -3},
                                                   {.left = -5,
                                                    .top = 9,
                                                    .right = 90,
                                                    .bottom = 99,
                                                    .text = "",
                                                    .kind = 12}});
  EXPECT_EQ(drawn.size(0), drawn.size(1));
}

std::vector<at::Tensor> crops_of(const testing::Made& made) {
  std::vector<at::Tensor> out;
  for (const Value& piece : made.outcome.pieces.at(0)) {
    const auto* output = std::get_if<Tensors>(&piece);
    if (output != nullptr) out.push_back(get(*output, "image"));
  }
  return out;
}

/// Row y, column x holds x, y, 0.
at::Tensor ramp(std::int64_t height, std::int64_t width) {
  auto out = at::zeros({height, width, 3}, at::kByte);
  for (std::int64_t x = 0; x < width; ++x)
    out.select(1, x).select(1, 0).fill_(x);
  for (std::int64_t y = 0; y < height; ++y) out[y].select(1, 1).fill_(y);
  return out;
}

TEST(DrawBoxes, CropsAreOutputs) {
  const auto picture = ramp(100, 200);
  const auto made = testing::run_stage(
      "{use: image.draw_boxes, crops: true}",
      given_boxes(picture, found({10.5F, 20, 30, 40, 150, 90, 200, 100}, {0, 0},
                                 {0.9F, 0.8F})));
  const auto crops = crops_of(made);
  ASSERT_EQ(crops.size(), 2U);
  EXPECT_TRUE(at::equal(crops[0], picture.narrow(0, 20, 20).narrow(1, 10, 20)));
  EXPECT_TRUE(
      at::equal(crops[1], picture.narrow(0, 90, 10).narrow(1, 150, 50)));
}

TEST(DrawBoxes, CropsAreOfThePictureAsItIs) {
  // Preprocess saw a half of it.
  const auto made = testing::run_stage(
      "{use: image.draw_boxes, crops: true, margin: 0.5}",
      given_boxes(
          ramp(100, 200), found({10, 20, 20, 30}, {0}, {0.9F}),
          {{"width", std::int64_t{100}}, {"height", std::int64_t{50}}}));
  const auto crop = crops_of(made).at(0);
  EXPECT_EQ(crop.sizes(), at::IntArrayRef({40, 40, 3}));
  EXPECT_EQ(crop[0][0][0].item<int>(), 10);
  EXPECT_EQ(crop[0][0][1].item<int>(), 30);
}

TEST(Crop, OfABoxThatIsOutsideIsAPixel) {
  const auto picture = ramp(10, 20);
  EXPECT_EQ(crop_box(picture, {50, 50, 60, 60}, 0).sizes(),
            at::IntArrayRef({1, 1, 3}));
  EXPECT_EQ(crop_box(picture, {-9, -9, -5, -5}, 0).sizes(),
            at::IntArrayRef({1, 1, 3}));
  EXPECT_EQ(crop_box(picture, {-9, -9, 99, 99}, 1).sizes(),
            at::IntArrayRef({10, 20, 3}));
}

TEST(Crop, OfStraightCornersIsTheBox) {
  const auto picture = ramp(100, 200);
  const auto crop = crop_corners(picture, {20, 30, 60, 30, 60, 50, 20, 50});
  EXPECT_TRUE(at::equal(crop, picture.narrow(0, 30, 20).narrow(1, 20, 40)));
  // Turned by a quarter: what was high is wide.
  EXPECT_EQ(crop_corners(picture, {20, 30, 40, 30, 40, 90, 20, 90}).sizes(),
            at::IntArrayRef({20, 60, 3}));
  EXPECT_EQ(crop_corners(picture, {5, 5, 5, 5, 5, 5, 5, 5}).sizes(),
            at::IntArrayRef({1, 1, 3}));
}

TEST(DrawBoxes, AreAGoodStage) {
  EXPECT_EQ(testing::stage_faults(
                "{use: image.draw_boxes, crops: true}",
                given_boxes(ramp(10, 20), found({1, 2, 3, 4}, {0}, {0.5F}))),
            "");
}

}  // namespace
}  // namespace penstock::image
