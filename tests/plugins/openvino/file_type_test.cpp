// pipelines/file_type.yaml names files as Magika's Python package does, and as
// sure of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "penstock/plugin_host.h"
#include "penstock/runner.h"

namespace penstock::testing {
namespace {

const std::filesystem::path kSource = PENSTOCK_SOURCE_DIR;

class FileType : public ::testing::Test {
 protected:
  /// The label and score of the best class.
  std::pair<std::string, double> best(const Media& media) {
    Request request;
    request.inputs["file"] = media;
    const Outcome outcome = runner_.run(std::move(request));
    const auto best = nlohmann::json::parse(outcome.json()).at("labels").at(0);
    return {best.at("label"), best.at("score")};
  }

  PluginHost plugins_{{PENSTOCK_PLUGINS}};
  Runner runner_{
      load_pipeline_file(kSource / "pipelines/file_type.yaml", plugins_)};
};

TEST_F(FileType, IsWhatThePackageSays) {
  std::ifstream file(kSource / "tests/golden/models/file_types.json");
  const auto cases = nlohmann::json::parse(file).at("cases");
  EXPECT_GE(cases.size(), 20U);
  for (const auto& c : cases) {
    Media media;
    if (c.contains("path")) {
      media.name =
          (kSource / "tests" / c.at("path").get<std::string>()).string();
    } else {
      media.name = c.at("name");
      media.bytes =
          std::make_shared<std::string>(c.at("text").get<std::string>());
    }
    const auto [label, score] = best(media);
    EXPECT_EQ(label, c.at("label").get<std::string>()) << c.at("name");
    // f32 softmax of sums in another order.
    EXPECT_NEAR(score, c.at("score").get<double>(), 1e-5) << c.at("name");
  }
}

TEST_F(FileType, OfAnEmptyFileIsAnError) {
  Media media;
  media.name = "nothing";
  media.bytes = std::make_shared<std::string>();
  EXPECT_THROW((void)best(media), Error);
}

}  // namespace
}  // namespace penstock::testing
