// pipelines/page_layout.yaml: what rapid-layout finds on the same pages.
#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/plugins/openvino/packaged.h"

namespace penstock::testing {
namespace {

using Parts = std::vector<nlohmann::json>;

Parts by_score(Parts parts) {
  std::sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) {
    return a["score"].template get<double>() >
           b["score"].template get<double>();
  });
  return parts;
}

TEST(PageLayout, IsWhatRapidLayoutFinds) {
  PipelineOf pipeline("page_layout.yaml");
  for (const auto& page : golden_json("layout/parts.json")) {
    const Parts got =
        pipeline.run("image", media_path("layout", page["image"]))["boxes"];
    const Parts wanted = by_score(page["parts"]);
    ASSERT_EQ(got.size(), wanted.size()) << page["image"];
    for (std::size_t i = 0; i < got.size(); ++i) {
      EXPECT_EQ(got[i]["label"], wanted[i]["label"]);
      EXPECT_NEAR(got[i]["score"].get<double>(),
                  wanted[i]["score"].get<double>(), 0.002);
      for (std::size_t side = 0; side < 4; ++side) {
        EXPECT_NEAR(got[i]["box"][side].get<double>(),
                    wanted[i]["box"][side].get<double>(), 1.0)
            << page["image"] << ", " << wanted[i]["label"];
      }
    }
  }
}

TEST(PageLayout, APictureOfOnePixelIsNoPage) {
  PipelineOf pipeline("page_layout.yaml");
  const auto white = at::full({1, 1, 3}, 255, at::kByte);
  const auto made = pipeline.run("image", Tensors{{"image", white}});
  EXPECT_TRUE(made["boxes"].empty());
  EXPECT_LT(made["best_score"].get<double>(), 0.5);
}

TEST(PageLayout, ATensorThatTheModelLacksIsNamedBeforeItLoads) {
  PluginHost plugins{{PENSTOCK_PLUGINS}};
  try {
    (void)load_file(kTree / "pipelines/page_layout.yaml", plugins,
                    parse_overrides("decode.scores=[a]", "a test"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(),
                ::testing::HasSubstr("core.boxes wants a: f32[B,...], but the "
                                     "model gives transpose_0.tmp_0"));
  }
}

}  // namespace
}  // namespace penstock::testing
