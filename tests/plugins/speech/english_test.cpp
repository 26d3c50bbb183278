// English against the package's own Python, text by text
// (tests/golden/make_speech.py).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "penstock/error.h"
#include "penstock/models.h"
#include "speech/english/characters.h"
#include "speech/english/voice_files.h"

namespace penstock::speech {
namespace {

using EnglishJson = nlohmann::json;
using Texts = std::vector<std::string>;

EnglishJson english_golden(const std::string& name) {
  std::ifstream file(PENSTOCK_SOURCE_DIR "/tests/golden/speech/" + name);
  return EnglishJson::parse(file);
}

std::filesystem::path voice_folder() {
  return cache_folder() / "models/hibari";
}

/// Phonemes of each sentence that has some.
class Reader {
 public:
  explicit Reader(Accent accent)
      : english_(read_english(voice_folder(), accent)) {}

  Texts operator()(const std::string& text) const {
    Texts out;
    sentences_.each(text, [&](const std::u32string& sentence) {
      const Pronounced said = english_(sentence);
      if (!said.phonemes.empty()) out.push_back(utf8_of(said.phonemes));
    });
    return out;
  }
  std::string normalized(const std::string& text) const {
    return utf8_of(english_.normalized(points_of(text)));
  }
  Pronounced sentence(const std::u32string& text) const {
    return english_(text);
  }

 private:
  English english_;
  Sentences sentences_ = read_sentences(voice_folder());
};

const Reader& american() {
  static const Reader reader(Accent::kAmerican);
  return reader;
}
const Reader& british() {
  static const Reader reader(Accent::kBritish);
  return reader;
}

/// How many of the texts sound as wanted; the others are told.
class Count {
 public:
  void add(const std::string& text, const EnglishJson& wanted,
           const Texts& got) {
    if (wanted.is_null()) return;  // the package itself fails on it
    ++all_;
    const Texts texts = wanted.is_string() ? Texts{wanted.get<std::string>()}
                                           : wanted.get<Texts>();
    if (texts == got) {
      ++equal_;
    } else {
      told_ += text + "\n  wanted " + EnglishJson(texts).dump() +
               "\n  got    " + EnglishJson(got).dump() + "\n";
    }
  }
  /// Fails where more than `few` differ.
  void expect_all_but(int few, int at_least) const {
    EXPECT_LE(all_ - equal_, few) << told_;
    EXPECT_GE(all_, at_least);
    ::testing::Test::RecordProperty(
        "equal", std::to_string(equal_) + " of " + std::to_string(all_));
  }

 private:
  int all_ = 0, equal_ = 0;
  std::string told_;
};

TEST(Normalizer, WritesTextsAsThePackageDoes) {
  for (const auto& each : english_golden("english.json")) {
    EXPECT_EQ(american().normalized(each["text"]), each["normalized"]);
  }
}

TEST(English, SoundsAsThePackageSays) {
  Count count;
  for (const auto& each : english_golden("english.json")) {
    count.add(each["text"], each["phonemes"], american()(each["text"]));
  }
  for (const auto& each : english_golden("words.json")) {
    count.add(each[0], each[1], american()(each[0]));
  }
  for (const auto& each : english_golden("numbers.json")) {
    count.add(each[0], each[1], american()(each[0]));
  }
  count.expect_all_but(0, 500);
}

// The network for its unknown words has weights of 8 bits, which OpenVINO and
// onnxruntime round differently: letters of other scripts may sound otherwise.
TEST(English, SoundsBritishAsThePackageSays) {
  Count count;
  for (const auto& each : english_golden("english.json")) {
    count.add(each["text"], each["british"], british()(each["text"]));
  }
  for (const auto& each : english_golden("words.json")) {
    count.add(each[0], each[2], british()(each[0]));
  }
  count.expect_all_but(2, 320);
}

TEST(English, NamesWordsOfLettersThatItCannotSay) {
  const auto said = american().sentence(U"Say 日本 and 東京, please 🎉.");
  EXPECT_THAT(said.unread, ::testing::ElementsAre("日本", "東京"));
  EXPECT_TRUE(american().sentence(U"🎉").phonemes.empty());
  EXPECT_TRUE(american().sentence(U"").phonemes.empty());
}

TEST(English, TakesAnythingAndStaysQuick) {
  EXPECT_FALSE(american()("1" + std::string(3000, '0')).empty());
  EXPECT_FALSE(american()(std::string(3000, '\'')).size() > 100);
  EXPECT_FALSE(american()(std::string(4000, 'q')).empty());
  std::string all;
  for (char c = 1; c < 127; ++c) all += c;
  EXPECT_FALSE(american()(all + all).empty());
  EXPECT_FALSE(
      american()("a1b2c3d4e5f6g7h8i9" + std::string(100, '9')).empty());
  (void)american()(
      "\xEF\xBB\xBFx\xCC\x81\xCC\x82 \xF4\x8F\xBF\xBF \xE2\x80\xAE");
}

TEST(VoiceFiles, ThatAreMissingAreNamed) {
  try {
    (void)read_english("/nowhere", Accent::kAmerican);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("/nowhere/"));
  }
}

}  // namespace
}  // namespace penstock::speech
