// A picture emerges: the pipeline that ships, around a small random network.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/support.h"

namespace penstock::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Diffusion : public ::testing::Test {
 protected:
  ~Diffusion() override { fs::remove_all(folder_); }

  /// With the network of tests/golden/make_diffusion.py in place of digits'.
  [[nodiscard]] Ran run(const std::string& folder,
                        const std::string& arguments) const {
    return shell(
        "$RUN " PENSTOCK_SOURCE_DIR
        "/pipelines/diffusion_digits.yaml --set model=" PENSTOCK_SOURCE_DIR
        "/tests/fixtures/models/unet.pt2 "
        "--set preprocess.timestep=f32 "
        "--set preprocess.shape=[1,8,8] --render " +
        (folder_ / folder).string() + " " + arguments);
  }
  /// The bytes of the first request's last picture.
  [[nodiscard]] std::string picture(const std::string& folder) const {
    std::ostringstream bytes;
    bytes << std::ifstream(folder_ / folder / "0.4.png", std::ios::binary)
                 .rdbuf();
    return bytes.str();
  }

  fs::path folder_ = fs::temp_directory_path() /
                     ("penstock_diffusion_" + std::to_string(getpid()));
};

TEST_F(Diffusion, GivesPreviewsAndThePictureOfASeed) {
  const Ran first = run("a", "--text 7 --set preprocess.seed=3");
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_EQ(lines(first.out).size(), 5U);  // after 4, 8, 12, 16 and 20 steps
  ASSERT_FALSE(picture("a").empty());
  // In another batch, of two: other rows do not change it.
  ASSERT_EQ(run("b", "--text 7 --text 8 --set preprocess.seed=3").code, 0);
  EXPECT_EQ(picture("a"), picture("b"));
  ASSERT_EQ(run("c", "--text 7 --set preprocess.seed=4").code, 0);
  EXPECT_NE(picture("a"), picture("c"));
}

TEST_F(Diffusion, TakesStepsAndSchedulerWithARequest) {
  const Ran ran =
      run("a", "--text 7 --set decode.steps=6 --set decode.scheduler=euler");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(lines(ran.out).size(), 2U);
  const Ran bad = run("b", "--text seven");
  EXPECT_EQ(bad.code, 65);
  EXPECT_THAT(bad.err, HasSubstr("the text 'seven' is no class"));
}

/// The composition of tests/fixtures/text_to_image; what diffusers makes of the
/// same text in the same networks is in the golden file.
class TextToImage : public ::testing::Test {
 protected:
  using Json = nlohmann::json;
  ~TextToImage() override { fs::remove_all(folder_); }

  static std::string text_of(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  /// The values of the first tensor of a result.
  static void expect_near(const Json& result, const Json& expected) {
    const Json& tensor = result.at("tensors").at(0);
    EXPECT_EQ(tensor.at("shape"), expected.at("shape"));
    const auto given = tensor.at("values").get<std::vector<double>>();
    const auto wanted = expected.at("data").get<std::vector<double>>();
    ASSERT_EQ(given.size(), wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_NEAR(given[i], wanted[i], 1e-4 + 1e-4 * std::abs(wanted[i])) << i;
    }
  }

  const fs::path source_ = PENSTOCK_SOURCE_DIR "/tests/fixtures/text_to_image";
  const Json golden_ = Json::parse(text_of(
      PENSTOCK_SOURCE_DIR "/tests/golden/diffusion/text_to_image.json"));
  fs::path folder_ = fs::temp_directory_path() /
                     ("penstock_text_to_image_" + std::to_string(getpid()));
};

TEST_F(TextToImage, MakesWhatDiffusersMakesInEachStep) {
  // Beside the others, a last step that gives numbers in place of a picture,
  // and models that are found beside the files that name them.
  fs::create_directories(folder_);
  fs::copy(source_, folder_ / "text_to_image");
  fs::copy(source_.parent_path() / "wordpiece", folder_ / "wordpiece");
  const fs::path last = folder_ / "text_to_image/picture.yaml";
  std::string text = text_of(last);
  const auto at = text.find("postprocess:");
  std::ofstream(last) << text.replace(
      at, text.size() - at, "postprocess: {use: core.tensor, format: json}\n");
  const std::string draw =
      "$RUN " + (folder_ / "text_to_image/draw.yaml").string() + " --json";
  const Ran ran = shell(draw);
  ASSERT_EQ(ran.code, 0) << ran.err;
  expect_near(Json::parse(ran.out).at("steps").at("picture").at(0),
              golden_.at("picture"));
  // A step whose tensors are numbers ends the chain: its text goes on.
  const Ran first = shell("$RUN " + (source_ / "text.yaml").string() +
                          " --text 'alpha line' --json --set "
                          "postprocess.format=json");
  ASSERT_EQ(first.code, 0) << first.err;
  expect_near(Json::parse(first.out), golden_.at("states"));
  const Ran broken = shell(draw + " --set text.postprocess.format=json");
  EXPECT_NE(broken.code, 0);
  EXPECT_THAT(broken.err, HasSubstr("condition"));
}

TEST_F(TextToImage, DrawsAPicture) {
  const Ran ran = shell("$RUN " + (source_ / "draw.yaml").string() +
                        " --render " + folder_.string());
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_GT(fs::file_size(folder_ / "picture/0.png"), 100);
}

}  // namespace
}  // namespace penstock::cli
