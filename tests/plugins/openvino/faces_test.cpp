// pipelines/faces.yaml and video_faces.yaml: what MediaPipe finds in the same
// pictures.
#include <gtest/gtest.h>

#include "tests/plugins/openvino/packaged.h"

namespace penstock::testing {
namespace {

using FacesJson = nlohmann::json;

/// Half a pixel: pictures of odd sizes lie between pixels (image/warp.h).
void expect_same(const FacesJson& got, const FacesJson& wanted,
                 const std::string& where) {
  ASSERT_EQ(got.size(), wanted.size()) << where;
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i]["label"], "face");
    EXPECT_NEAR(got[i]["score"].get<double>(), wanted[i]["score"].get<double>(),
                0.001)
        << where;
    for (std::size_t side = 0; side < 4; ++side) {
      EXPECT_NEAR(got[i]["box"][side].get<double>(),
                  wanted[i]["box"][side].get<double>(), 0.6)
          << where << ", face " << i;
    }
  }
}

TEST(Faces, AreWhereMediaPipeFindsThem) {
  PipelineOf pipeline("faces.yaml");
  for (const auto& each : golden_json("faces/found.json")["pictures"]) {
    const auto made = pipeline.run("image", media_path("faces", each["image"]));
    expect_same(made["boxes"], each["faces"], each["image"]);
    EXPECT_EQ(made.contains("best_score"), each["faces"].empty());
  }
}

TEST(Faces, OfAFilmKeepTheirNumber) {
  const auto film = golden_json("faces/found.json")["film"];
  PipelineOf pipeline("video_faces.yaml",
                      // Its pixels are not square, which PyAV leaves so.
                      "preprocess.0.square_pixels=false;preprocess.0.fps=0;"
                      "preprocess.0.every=" +
                          std::to_string(film["every"].get<int>()));
  const auto made = pipeline.run("video", media_path("faces", film["video"]));
  ASSERT_EQ(made["frames"].size(), film["frames"].size());
  for (std::size_t i = 0; i < made["frames"].size(); ++i) {
    const FacesJson& frame = made["frames"][i];
    EXPECT_EQ(frame["frame"], film["frames"][i]["frame"]);
    expect_same(frame["boxes"], film["frames"][i]["faces"],
                "frame " + std::to_string(i));
    for (const auto& face : frame["boxes"]) EXPECT_EQ(face["track"], 1);
  }
}

}  // namespace
}  // namespace penstock::testing
