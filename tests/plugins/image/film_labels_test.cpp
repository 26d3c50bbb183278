// image.labels on frames of a film: lines, JSON and contact sheets.
#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "image/decode.h"
#include "image/labels.h"
#include "tests/plugins/audio/support.h"
#include "tests/plugins/image/support.h"

namespace penstock::image {
namespace {

using ::testing::ElementsAre;
namespace fs = std::filesystem;

class Kept final : public OutputSink {
 public:
  void emit(Value value, int /*branch*/, bool /*is_final*/) override {
    if (const auto* more = std::get_if<std::string>(&value)) text += *more;
    if (const auto* more = std::get_if<Json>(&value))
      json.push_back(more->text);
  }
  std::string text;
  std::vector<std::string> json;
};

Decoded frame(double time, std::int64_t number, std::int64_t id, float score) {
  auto item = std::make_shared<Item>();
  item->notes["time"] = time;
  item->notes["frame"] = number;
  item->notes["width"] = std::int64_t{200};
  item->notes["height"] = std::int64_t{100};
  auto thumbnail = at::full({40, 40, 3}, 0, at::kByte);
  thumbnail.narrow(0, 10, 20).fill_(200);
  item->inputs = {{"thumbnail", thumbnail}};
  Decoded decoded;
  decoded.tensors = {{"classes", at::full({1}, id, at::kLong)},
                     {"scores", at::full({1}, score, at::kFloat)}};
  decoded.item = item;
  return decoded;
}

Kept written(const std::vector<Decoded>& frames, const std::string& folder,
             const std::string& labels = "") {
  Labels::Params params;
  params.labels = labels;
  params.render = folder;
  Labels stage(params);
  Notes facts;
  StageContext context{.model = "", .facts = facts};
  stage.open(context);
  Request request;
  request.id = "films/a.mp4";
  Kept kept;
  const auto writer = stage.begin(request);
  for (const Decoded& one : frames) EXPECT_TRUE(writer->write(one, kept));
  writer->end(kept);
  return kept;
}

TEST(FilmLabels, AreALineAndAPieceAFrame) {
  const Kept kept =
      written({frame(0, 0, 7, 0.5F), frame(0.5, 12, 9, 0.25F)}, "");
  EXPECT_EQ(kept.text,
            "   0.000 s  0.500  class 7\n"
            "   0.500 s  0.250  class 9");
  EXPECT_THAT(kept.json,
              ElementsAre(R"({"frames":[{"time":0.0,"frame":0,"labels":)"
                          R"([{"id":7,"label":"class 7","score":0.5}]}]})",
                          R"({"frames":[{"time":0.5,"frame":12,"labels":)"
                          R"([{"id":9,"label":"class 9","score":0.25}]}]})"));
}

TEST(FilmLabels, LeaveOutNamesWhereNoneAreNeeded) {
  const Kept kept = written({frame(0, 0, 7, 0.5F)}, "", "none");
  EXPECT_EQ(kept.text, "   0.000 s  0.500");
  EXPECT_THAT(kept.json, ElementsAre(R"({"frames":[{"time":0.0,"frame":0,)"
                                     R"("labels":[{"id":7,"score":0.5}]}]})"));
}

TEST(FilmLabels, AreDrawnInSheetsOfSixty) {
  const fs::path folder = fs::path(testing::TempDir()) / "penstock_film_labels";
  fs::remove_all(folder);
  std::vector<Decoded> frames;
  frames.reserve(62);
  for (int i = 0; i < 62; ++i) frames.push_back(frame(i, i, 7, 0.5F));
  (void)written(frames, folder.string());
  const auto first = decode(file_bytes(folder / "a.mp4.png"), {}).pixels;
  // Cells of 40x20 pixels and two lines of 16, with 8 between them.
  EXPECT_EQ(first.sizes(), at::IntArrayRef({8 + 10 * 60, 8 + 6 * 48, 3}));
  EXPECT_EQ(first[9][9][0].item<int>(), 200);  // the picture, no border
  EXPECT_EQ(first[4][4][0].item<int>(), 24);   // the paper
  EXPECT_GT(first.narrow(0, 30, 30).max().item<int>(), 150);  // words
  const auto second = decode(file_bytes(folder / "a.mp4.2.png"), {}).pixels;
  EXPECT_EQ(second.sizes(), at::IntArrayRef({8 + 60, 8 + 2 * 48, 3}));
  fs::remove_all(folder);
}

}  // namespace
}  // namespace penstock::image
