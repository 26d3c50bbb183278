// pipelines/text_embed.yaml with the packaged model it names: what Python
// packages make of the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/plugins/openvino/packaged.h"

namespace penstock::testing {
namespace {

using PackagedJson = nlohmann::json;

class TextEmbed : public ::testing::Test {
 protected:
  std::vector<double> vector_of(const std::string& text) {
    Request request;
    request.inputs["text"] = text;
    const Outcome made = runner_.run(std::move(request));
    return PackagedJson::parse(made.json())["embedding"];
  }

  PluginHost plugins_{{PENSTOCK_PLUGINS}};
  Runner runner_{
      load_pipeline_file(kTree / "pipelines/text_embed.yaml", plugins_)};
};

// int8 weights, and activations that are quantised by what they are: a sum in
// another order may fall to the next step.
TEST_F(TextEmbed, IsWhatOnnxruntimeMakes) {
  for (const auto& each : golden_json("packaged/embed.json")) {
    const auto got = vector_of(each["text"]);
    const auto wanted = each["vector"].get<std::vector<double>>();
    ASSERT_EQ(got.size(), wanted.size());
    double cosine = 0;
    double worst = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
      cosine += got[i] * wanted[i];
      worst = std::max(worst, std::abs(got[i] - wanted[i]));
    }
    EXPECT_GT(cosine, 0.999) << each["text"];
    EXPECT_LT(worst, 0.01) << each["text"];
    RecordProperty("worst", std::to_string(worst));
  }
}

TEST_F(TextEmbed, AlikeTextsAreNear) {
  const auto near = [&](const char* a, const char* b) {
    const auto x = vector_of(a);
    const auto y = vector_of(b);
    double cosine = 0;
    for (std::size_t i = 0; i < x.size(); ++i) cosine += x[i] * y[i];
    return cosine;
  };
  EXPECT_GT(near("A cat sits on the mat.", "A kitten is resting on a rug."),
            0.5);
  EXPECT_LT(near("A cat sits on the mat.", "The stock market fell today."),
            0.15);
}

}  // namespace
}  // namespace penstock::testing
