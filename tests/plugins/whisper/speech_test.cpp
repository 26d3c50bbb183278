// pipelines/speech_to_text.yaml on real speech, against transformers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>

#include "penstock/models.h"
#include "penstock/plugin_host.h"
#include "penstock/runner.h"
#include "tests/plugins/audio/support.h"

namespace penstock::whisper {
namespace {

using Options = std::map<std::string, std::string>;

class Speech : public testing::Test {
 protected:
  Pipeline open(const std::vector<Override>& overrides) {
    return Pipeline(load_pipeline_file(PENSTOCK_SOURCE_DIR
                                       "/pipelines/speech_to_text.yaml",
                                       plugins_, overrides));
  }
  static std::shared_ptr<Collector> submit(Pipeline& pipeline,
                                           const std::string& name,
                                           const Options& options) {
    Request request;
    request.id = name;
    request.inputs["audio"] = (cache_folder() / "media" / name).string();
    // The gate keeps none of the golden clips back.
    request.options["threshold"] = raw_from_text("0");
    for (const auto& [key, value] : options) {
      request.options[key] = raw_from_text(value);
    }
    if (name.ends_with(".raw")) {
      request.options["raw_format"] = raw_from_text("s16le");
    }
    auto sink = std::make_shared<Collector>();
    pipeline.submit(std::move(request), sink);
    return sink;
  }

  /// A clip for each of `rows`, all at once.
  static std::vector<std::shared_ptr<Collector>> encode(
      Pipeline& pipeline, const nlohmann::json& rows, const Options& options) {
    std::vector<std::shared_ptr<Collector>> all;
    {
      const auto more = pipeline.more_coming();
      for (const auto& row : rows) {
        all.push_back(submit(pipeline, row["file"], options));
      }
    }
    pipeline.drain();
    return all;
  }

  PluginHost plugins_{{PENSTOCK_PLUGINS}};
};

/// All give transformers' tokens: both engines, in what they compute exactly.
class Engines
    : public Speech,
      public testing::WithParamInterface<std::pair<const char*, const char*>> {
 protected:
  Pipeline open_engine(std::vector<Override> overrides) {
    overrides.push_back({"forward.engine", GetParam().first, "test"});
    overrides.push_back({"forward.dtype", GetParam().second, "test"});
    return open(overrides);
  }
};
INSTANTIATE_TEST_SUITE_P(Dtype, Engines,
                         testing::Values(std::pair{"native", "fp32"},
                                         std::pair{"native", "int16"},
                                         std::pair{"reference", "fp32"}));

/// All 22 at once and batched: the same ids as one by one in transformers.
TEST_P(Engines, TokenIdsAreTransformers) {
  Pipeline pipeline = open_engine({});
  const auto rows = audio::golden_json("whisper/short.json");
  const auto all = encode(pipeline, rows,
                          {{"timestamps", "false"}, {"temperature_step", "0"}});
  ASSERT_EQ(all.size(), 22U);
  for (std::size_t i = 0; i < all.size(); ++i) {
    ASSERT_FALSE(all[i]->wait().report.error)
        << all[i]->wait().report.error->what();
    const Tokens want = rows[i]["ids"];
    EXPECT_EQ(all[i]->wait().report.token_ids, want) << rows[i]["file"];
  }
}

/// Twenty of the 22, and what is read from books.
TEST_F(Speech, Int8KeepsTheTokensOfMostClips) {
  Pipeline pipeline = open({{"forward.dtype", "int8", "test"}});
  const auto rows = audio::golden_json("whisper/short.json");
  const auto all = encode(pipeline, rows,
                          {{"timestamps", "false"}, {"temperature_step", "0"}});
  int equal = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool is_equal =
        all[i]->wait().report.token_ids == Tokens(rows[i]["ids"]);
    equal += is_equal ? 1 : 0;
    if (rows[i]["file"].get<std::string>().find("librivox") !=
        std::string::npos) {
      EXPECT_TRUE(is_equal) << rows[i]["file"];
    }
  }
  EXPECT_GE(equal, 20);
}

/// The monkeys aside: there both repeat themselves, to different limits.
TEST_P(Engines, TokensWithTimesAreTransformers) {
  Pipeline pipeline = open_engine({{"forward.padding", "zeros", "test"}});
  const auto rows = audio::golden_json("whisper/short.json");
  const auto all =
      encode(pipeline, rows, {{"temperature_step", "0"}, {"no_speech", "1"}});
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (rows[i]["file"] == "asterisk-sounds/tt-monkeys.g722") continue;
    Tokens got = all[i]->wait().report.token_ids;
    Tokens want = rows[i]["stamped"];
    for (Tokens* tokens : {&got, &want}) {
      std::erase_if(*tokens,
                    [](auto id) { return id == 50256 || id == 50257; });
    }
    EXPECT_EQ(got, want) << rows[i]["file"];
  }
}

/// Two clips beyond a window, as generate() gives them: zeros after the end.
TEST_P(Engines, LongSoundGivesTransformersSegments) {
  Pipeline pipeline = open_engine({{"forward.padding", "zeros", "test"}});
  for (const auto& row : audio::golden_json("whisper/long.json")) {
    const auto got = submit(
        pipeline, row["file"],
        {{"temperature_step", "0"}, {"no_speech", "1"}, {"format", "json"}});
    pipeline.drain();
    ASSERT_FALSE(got->wait().report.error) << got->wait().report.error->what();
    const auto segments = nlohmann::json::parse(got->wait().text())["segments"];
    ASSERT_EQ(segments.size(), row["segments"].size()) << got->wait().text();
    for (std::size_t i = 0; i < segments.size(); ++i) {
      const auto& want = row["segments"][i];
      EXPECT_EQ(" " + segments[i]["text"].get<std::string>(),
                want[2].get<std::string>());
      EXPECT_NEAR(segments[i]["begin"].get<double>(), want[0].get<double>(),
                  0.011);
      EXPECT_NEAR(segments[i]["end"].get<double>(), want[1].get<double>(),
                  0.011);
    }
  }
}

TEST_F(Speech, SubtitlesAreWrittenInBothForms) {
  Pipeline pipeline = open({});
  const std::string name = "asterisk-sounds/demo-congrats.g722";
  const auto srt = submit(pipeline, name, {{"format", "srt"}});
  const auto vtt = submit(pipeline, name, {{"format", "vtt"}});
  pipeline.drain();
  EXPECT_THAT(srt->wait().text(),
              testing::StartsWith("1\n00:00:00,000 --> 00:00:07,220\n"
                                  "Congratulations! You have"));
  EXPECT_THAT(srt->wait().text(),
              testing::HasSubstr("\n\n2\n00:00:07,220 --> "));
  EXPECT_THAT(vtt->wait().text(),
              testing::StartsWith("WEBVTT\n\n00:00:00.000 --> 00:00:07.220\n"));
}

/// Endless "AHHH" is tried again at higher temperatures, each time the same.
TEST_F(Speech, RepetitionsAreTriedAgain) {
  Pipeline pipeline = open({});
  const std::string name = "asterisk-sounds/tt-monkeys.g722";
  const Options options = {
      {"format", "json"}, {"max_tokens", "60"}, {"temperature_step", "0.5"}};
  const auto once = submit(pipeline, name, options);
  const auto again = submit(pipeline, name, options);
  pipeline.drain();
  EXPECT_EQ(once->wait().text(), again->wait().text());
  const auto segments = nlohmann::json::parse(once->wait().text())["segments"];
  for (const auto& segment : segments) {
    EXPECT_GT(segment["temperature"].get<double>(), 0) << segment;
  }
}

TEST_F(Speech, SilenceAndMonkeysGiveNoWords) {
  Pipeline pipeline = open({});
  const std::string monkeys = "asterisk-sounds/tt-monkeys.g722";
  const Options gated = {{"threshold", "0.5"}};
  const auto text = submit(pipeline, monkeys, gated);
  const auto json =
      submit(pipeline, monkeys, {{"threshold", "0.5"}, {"format", "json"}});
  pipeline.drain();
  ASSERT_FALSE(text->wait().report.error) << text->wait().report.error->what();
  EXPECT_EQ(text->wait().text(), "");
  EXPECT_EQ(json->wait().text(), R"({"text":"","segments":[]})");
}

/// Zeros in which the model itself hears "you".
TEST_F(Speech, SilenceAfterAndBeforeSpeechGivesNoWords) {
  Pipeline pipeline = open({});
  std::ifstream in(cache_folder() / "media/pocketsphinx-testdata/goforward.raw",
                   std::ios::binary);
  const std::string said((std::istreambuf_iterator<char>(in)), {});
  const auto hear_bytes = [&](const std::string& sound) {
    Request request;
    Media media;
    media.name = "sound";
    media.bytes = std::make_shared<const std::string>(sound);
    request.inputs["audio"] = media;
    request.options["raw_format"] = raw_from_text("s16le");
    request.options["format"] = raw_from_text("json");
    const auto sink = std::make_shared<Collector>();
    pipeline.submit(std::move(request), sink);
    EXPECT_FALSE(sink->wait().report.error);
    return nlohmann::json::parse(sink->wait().text());
  };
  const std::string wanted = hear_bytes(said)["text"];
  EXPECT_THAT(wanted, testing::HasSubstr("meters."));
  for (const std::size_t seconds : {31, 37, 47, 60, 90}) {
    const std::string silence(32000 * seconds, '\0');
    EXPECT_EQ(hear_bytes(said + silence)["text"], wanted) << seconds;
    const auto late = hear_bytes(silence + said);
    EXPECT_THAT(late["text"].get<std::string>(), testing::HasSubstr("meters."));
    EXPECT_NEAR(late["segments"][0]["begin"].get<double>(),
                static_cast<double>(seconds), 1.5);
    EXPECT_EQ(hear_bytes(silence)["text"], "");
  }
}

/// Stretches of speech by themselves: the same words, the times of the whole.
TEST_F(Speech, SplitSoundKeepsItsTimes) {
  Pipeline pipeline = open({});
  const auto got = submit(pipeline, "asterisk-sounds/demo-instruct.g722",
                          {{"threshold", "0.5"},
                           {"split", "true"},
                           {"max_speech_seconds", "15"},
                           {"format", "json"}});
  pipeline.drain();
  ASSERT_FALSE(got->wait().report.error) << got->wait().report.error->what();
  const auto said = nlohmann::json::parse(got->wait().text());
  EXPECT_THAT(said["text"].get<std::string>(),
              testing::HasSubstr("leave voicemail"));
  const auto& segments = said["segments"];
  ASSERT_GE(segments.size(), 8U);
  double before = 0;
  for (const auto& segment : segments) {
    EXPECT_GE(segment["begin"].get<double>(), before - 0.3);
    before = segment["end"];
  }
  EXPECT_NEAR(before, 72.8, 1);
}

/// A few: without instructions for it, bfloat16 takes ten times as long.
TEST_F(Speech, Bf16HearsTheSameWords) {
  constexpr std::size_t kClips = 4;
  Pipeline pipeline = open({{"forward.dtype", "bf16", "test"}});
  const auto rows = audio::golden_json("whisper/short.json");
  int equal = 0;
  std::vector<std::shared_ptr<Collector>> all;
  for (std::size_t i = 0; i < kClips; ++i) {
    all.push_back(submit(pipeline, rows[i]["file"],
                         {{"timestamps", "false"}, {"temperature_step", "0"}}));
  }
  pipeline.drain();
  for (std::size_t i = 0; i < kClips; ++i) {
    const Tokens want = rows[i]["ids"];
    equal += all[i]->wait().report.token_ids == want ? 1 : 0;
  }
  EXPECT_GE(equal, 3);
}

}  // namespace
}  // namespace penstock::whisper
