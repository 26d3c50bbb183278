// pipelines/speak.yaml and voice_reply.yaml with the models they name: Whisper
// writes down what was said.
#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "penstock/models.h"
#include "penstock/plugin_host.h"
#include "penstock/runner.h"
#include "tests/cli/support.h"

namespace penstock::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using SpeakJson = nlohmann::json;
namespace fs = std::filesystem;
const fs::path kTree = PENSTOCK_SOURCE_DIR;

PluginHost& plugins() {
  static PluginHost host{{PENSTOCK_PLUGINS}};
  return host;
}

struct Said {
  Outcome outcome;
  std::string bytes;  ///< of all media, end to end
  std::vector<std::size_t> pieces;
};

class Speak : public ::testing::Test {
 protected:
  static Runner& runner() {
    static Runner all{
        load_pipeline_file(kTree / "pipelines/speak.yaml", plugins())};
    return all;
  }
  static Said say(const std::string& text,
                  const std::map<std::string, std::string>& options = {}) {
    Request request;
    request.id = "hello";
    request.inputs["text"] = text;
    for (const auto& [name, value] : options) {
      request.options[name] = RawScalar{.text = value};
    }
    const auto sink = std::make_shared<Collector>();
    runner().submit(std::move(request), sink);
    Said said{.outcome = sink->wait(), .bytes = {}, .pieces = {}};
    for (const Value& value : said.outcome.pieces[0]) {
      const auto* media = std::get_if<Media>(&value);
      if (media == nullptr) continue;
      said.bytes += *media->bytes;
      said.pieces.push_back(media->bytes->size());
    }
    return said;
  }
  static std::string problem(const std::string& text) {
    const Said said = say(text);
    return said.outcome.report.error ? said.outcome.report.error->what() : "";
  }
};

std::string heard(const std::string& sound, const std::string& name) {
  static Runner whisper{
      load_pipeline_file(kTree / "pipelines/speech_to_text.yaml", plugins())};
  Media media;
  media.name = name;
  media.bytes = std::make_shared<const std::string>(sound);
  Request request;
  request.inputs["audio"] = media;
  return whisper.run(std::move(request)).text();
}

/// Small letters and digits, single spaces.
std::string words_only(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (std::isspace(static_cast<unsigned char>(c)) != 0 &&
               !out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

TEST_F(Speak, WhisperWritesItDownWordForWord) {
  for (const std::string text :
       {"The quick brown fox jumps over the lazy dog.",
        "Please write down what you hear, and read it again tomorrow morning.",
        "She had to read the book that he read yesterday.",
        "The weather was cold, but the children played in the garden."}) {
    EXPECT_EQ(words_only(heard(say(text).bytes, "said.wav")), words_only(text));
  }
}

TEST_F(Speak, IsHeardSentenceBySentence) {
  const Said said = say("Hello there. How are you? I am well.");
  // The head, then each sentence.
  ASSERT_EQ(said.pieces.size(), 4U);
  EXPECT_EQ(said.pieces[0], 44U);
  const auto json = SpeakJson::parse(said.outcome.json());
  ASSERT_EQ(json["segments"].size(), 3U);
  EXPECT_EQ(json["segments"][1]["text"], "How are you?");
  EXPECT_EQ(json["segments"][1]["begin"], json["segments"][0]["end"]);
  EXPECT_EQ(json["sample_rate"], 24000);
  EXPECT_NEAR(json["seconds"].get<double>(),
              static_cast<double>(said.bytes.size() - 44) / 48000, 1e-9);
}

TEST_F(Speak, IsTheSameForASeed) {
  const std::string text = "The same again.";
  const std::string first = say(text).bytes;
  EXPECT_EQ(say(text).bytes, first);
  EXPECT_NE(say(text, {{"seed", "7"}}).bytes, first);
}

TEST_F(Speak, GoesAsFastAsItIsTold) {
  const std::string text = "This sentence is said at three speeds.";
  const auto usual = static_cast<double>(say(text).bytes.size());
  const auto fast = say(text, {{"speed", "1.5"}}).bytes.size();
  const auto slow = say(text, {{"speed", "0.7"}}).bytes.size();
  EXPECT_NEAR(static_cast<double>(fast) / usual, 1 / 1.5, 0.1);
  EXPECT_NEAR(static_cast<double>(slow) / usual, 1 / 0.7, 0.2);
}

TEST_F(Speak, WhatCannotBeSaidSaysWhy) {
  EXPECT_THAT(problem(""), HasSubstr("the text is empty"));
  EXPECT_THAT(problem(" \n "), HasSubstr("the text is empty"));
  EXPECT_THAT(problem("🎉 🎉"), HasSubstr("no words that are spoken"));
  EXPECT_THAT(problem("日本語"), HasSubstr("1 word was left out"));
  EXPECT_THAT(problem("bad \xFF byte"), HasSubstr("not UTF-8: byte 4"));
}

TEST_F(Speak, WhatIsLeftOutIsTold) {
  const Said said = say("Hello 日本語 world.\x01\x02 Bye \xF0\x9F\x8E\x89.");
  ASSERT_FALSE(said.outcome.report.error);
  EXPECT_THAT(said.outcome.report.warnings, ElementsAre(HasSubstr("日本語")));
}

TEST_F(Speak, RefusesOtherSpeeds) {
  EXPECT_THROW(say("Hello.", {{"speed", "9"}}), Error);
}

// The way of the program.
class SpeakProgram : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  Ran run(const std::string& rest) const {
    return cli::shell("cd " + folder_.string() + " && $RUN " +
                      (kTree / "pipelines/speak.yaml").string() + " " + rest);
  }
  std::string bytes_of(const std::string& name) const {
    std::stringstream out;
    out << std::ifstream(folder_ / name, std::ios::binary).rdbuf();
    return out.str();
  }

  fs::path folder_ =
      fs::path(::testing::TempDir()) / ("speak" + std::to_string(::getpid()));
};

std::size_t length_at(const std::string& bytes, std::size_t at) {
  std::size_t out = 0;
  for (std::size_t i = 4; i-- > 0;) {
    out = out << 8 | static_cast<unsigned char>(bytes[at + i]);
  }
  return out;
}

TEST_F(SpeakProgram, WritesAWavFileWithItsLength) {
  const auto ran = run("--text 'Hello there.' > a.wav");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const std::string wav = bytes_of("a.wav");
  ASSERT_GT(wav.size(), 20000U);
  EXPECT_EQ(length_at(wav, 4), wav.size() - 8);
  EXPECT_EQ(length_at(wav, 40), wav.size() - 44);
  EXPECT_EQ(words_only(heard(wav, "a.wav")), "hello there");
}

TEST_F(SpeakProgram, SpeaksWithPipersVoice) {
  const std::string file = (kTree / "pipelines/speak_piper.yaml").string();
  const auto ran = cli::shell("cd " + folder_.string() + " && $RUN " + file +
                              " --text 'The quick brown fox jumps over the "
                              "lazy dog.' > fox.wav");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(words_only(heard(bytes_of("fox.wav"), "fox.wav")),
            "the quick brown fox jumps over the lazy dog");
}

TEST_F(SpeakProgram, WritesOtherFormats) {
  ASSERT_EQ(
      run("--text 'Hello there.' --set postprocess.format=flac > a.flac").code,
      0);
  const std::string flac = bytes_of("a.flac");
  EXPECT_EQ(flac.substr(0, 4), "fLaC");
  EXPECT_EQ(words_only(heard(flac, "a.flac")), "hello there");
  ASSERT_EQ(
      run("--text 'Hello there.' --set postprocess.format=raw | cat > a").code,
      0);
  EXPECT_GT(bytes_of("a").size(), 20000U);
  EXPECT_EQ(bytes_of("a").size() % 600, 0U);
}

TEST_F(SpeakProgram, WritesAFileForEachTextAndNamesItInJson) {
  const auto ran = run("--text One. --text Two. --render sounds --json");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const auto lines = cli::lines(ran.out);
  ASSERT_EQ(lines.size(), 2U);
  for (const std::string& line : lines) {
    const auto json = SpeakJson::parse(line);
    const std::string file = json["file"];
    const std::string wav = bytes_of(file);
    EXPECT_EQ(length_at(wav, 40), wav.size() - 44);
    EXPECT_EQ(json["segments"].size(), 1U);
  }
}

TEST_F(SpeakProgram, RefusesWhatWouldLoseSound) {
  EXPECT_THAT(run("--text Hi. --json").err,
              HasSubstr("a JSON line cannot hold; name a folder"));
  EXPECT_THAT(run("--text A. --text B. > a.wav").err,
              HasSubstr("2 recordings cannot go into one stream"));
  EXPECT_THAT(run("--text A. --set preprocess.speed=7 > a.wav").err,
              HasSubstr("speed"));
  EXPECT_THAT(run("--text A. --set model=nothing > a.wav").err,
              HasSubstr("nothing"));
}

TEST_F(SpeakProgram, KeepsNoiseOffTerminals) {
  const auto ran = cli::shell("script -qec \"$RUN " +
                              (kTree / "pipelines/speak.yaml").string() +
                              " --text Hi.\" /dev/null");
  EXPECT_THAT(ran.out, HasSubstr("is nothing for a terminal"));
  EXPECT_LT(ran.out.size(), 400U);
}

TEST_F(SpeakProgram, RepliesToAVoice) {
  const auto ran =
      cli::shell("cd " + folder_.string() + " && $RUN " +
                 (kTree / "pipelines/voice_reply.yaml").string() +
                 " pocketsphinx-testdata/librivox/"
                 "sense_and_sensibility_01_austen_64kb-0870.wav > reply.wav");
  ASSERT_EQ(ran.code, 0) << ran.err;
  // What was heard and answered is told beside it, and said in it.
  EXPECT_THAT(ran.err, HasSubstr("And Mr. John Dashwood"));
  EXPECT_FALSE(words_only(heard(bytes_of("reply.wav"), "r.wav")).empty());
}

}  // namespace
}  // namespace penstock::testing
