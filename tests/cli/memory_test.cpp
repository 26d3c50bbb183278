// --check --memory foretells what a run of each pipeline that ships then takes,
// and --memory-limit refuses what would take more.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/cli/support.h"

namespace penstock::cli {
namespace {

using Json = nlohmann::json;

/// Of the peak that was measured.
constexpr double kBound = 0.15;

std::vector<std::string> pipelines() {
  std::vector<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(PENSTOCK_SOURCE_DIR "/pipelines")) {
    if (entry.path().extension() != ".yaml") continue;
    if (entry.path().stem() == "text_read") continue;  // runs in image_text
    // How long a picture's labels are is not foretold: it counts the longest.
    if (entry.path().stem() == "photo_to_gemma") continue;
    names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class Planned : public ::testing::TestWithParam<std::string> {};

TEST_P(Planned, PeakIsNearTheMeasuredOne) {
  const std::string file = GetParam() + ".yaml ";
  const Ran plan = shell("$RUN " + file + "--check --memory --json");
  const bool lacks_plugin =
      plan.err.find("there is no plugin 'openvino'") != std::string::npos ||
      plan.err.find("there is no plugin 'speech'") != std::string::npos;
  if (plan.code == 66 || lacks_plugin) GTEST_SKIP() << plan.err;
  ASSERT_EQ(plan.code, 0) << plan.err;
  const Json json = Json::parse(plan.out);
  Ran ran = shell("$RUN " + file + "--summary >/dev/null");
  if (ran.code == 66) GTEST_SKIP() << ran.err;
  if (ran.code == 2) {  // its file has no requests: it takes any file
    ran = shell("$RUN " + file +
                PENSTOCK_SOURCE_DIR "/README.md --summary >/dev/null");
  }
  ASSERT_EQ(ran.code, 0) << ran.err;
  const std::string words = "memory at most ";
  const auto at = ran.err.find(words);
  ASSERT_NE(at, std::string::npos) << ran.err;
  const double measured = std::stod(ran.err.substr(at + words.size()));
  const double planned = json["peak_bytes"].get<double>() / (1 << 20);
  std::cout << planned << " MiB planned, " << measured << " MiB measured\n";
  const auto& stages = json["stages"];
  const bool is_whole =
      std::all_of(stages.begin(), stages.end(),
                  [](const Json& stage) { return stage["known"].get<bool>(); });
  EXPECT_LE(planned / measured, 1 + kBound);
  if (is_whole) {
    EXPECT_GE(planned / measured, 1 - kBound);
  }
  EXPECT_GE(json["most_bytes"], json["peak_bytes"]);
}

INSTANTIATE_TEST_SUITE_P(Pipelines, Planned, ::testing::ValuesIn(pipelines()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace penstock::cli
