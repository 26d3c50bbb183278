// whisper.text on a made-up window: what a segment says of itself.
#include "whisper/text.h"

#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "penstock/keys.h"
#include "tests/plugins/whisper/small_vocabulary.h"
#include "whisper/transcript.h"

namespace penstock::whisper {
namespace {

class Pieces final : public OutputSink {
 public:
  void emit(Value value, int /*branch*/, bool /*is_final*/) override {
    if (const auto* json = std::get_if<Json>(&value)) {
      all.push_back(nlohmann::json::parse(json->text));
    } else {
      text += std::get<std::string>(value);
    }
  }
  std::vector<nlohmann::json> all;
  std::string text;
};

/// Two segments, "a b" and "c", in the window that begins at 30 s.
Decoded window() {
  Decoded decoded;
  decoded.tokens = {kFirstTime, 0, 1, kFirstTime + 5, kFirstTime + 5, 2};
  decoded.tensors = {
      {"segments", at::tensor({1500, 1505, 0, 4, 1505, 1600, 4, 6}, at::kLong)
                       .view({2, 4})}};
  set(decoded.notes, kSeek, 3000);
  return decoded;
}

Pieces written(const Text::Params& params) {
  (void)small_vocabulary();  // writes the files
  Text stage(params);
  Notes facts;
  StageContext context{.device = at::kCPU,
                       .model = ::testing::TempDir(),
                       .slots = 0,
                       .threads = 1,
                       .max_step_tokens = 0,
                       .facts = facts};
  stage.open(context);
  Request request;
  request.checked.push_back(std::make_shared<Text::Params>(params));
  const auto writer = stage.begin(request);
  Pieces out;
  EXPECT_TRUE(writer->write(window(), out));
  writer->end(out);
  return out;
}

TEST(Text, SaysTimesOfSegments) {
  const Pieces got = written({});
  EXPECT_EQ(got.text, "a bc");
  ASSERT_EQ(got.all.size(), 1);
  const auto& segments = got.all[0]["segments"];
  ASSERT_EQ(segments.size(), 2);
  EXPECT_EQ(segments[0]["begin"], 30.0);
  EXPECT_EQ(segments[1]["end"], 32.0);
  EXPECT_FALSE(segments[0].contains("tokens"));
  EXPECT_FALSE(segments[0].contains("seek"));
}

TEST(Text, TellsTokensAndPlaceOfTheWindowWhenAsked) {
  const Pieces got = written({.details = true});
  const auto& segments = got.all.at(0)["segments"];
  ASSERT_EQ(segments.size(), 2);
  EXPECT_EQ(segments[0]["tokens"],
            nlohmann::json({kFirstTime, 0, 1, kFirstTime + 5}));
  EXPECT_EQ(segments[1]["tokens"], nlohmann::json({kFirstTime + 5, 2}));
  EXPECT_EQ(segments[1]["seek"], 3000);
}

}  // namespace
}  // namespace penstock::whisper
