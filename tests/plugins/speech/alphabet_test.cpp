// The ids of phonemes, by the files that voices bring.
#include "speech/alphabet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "penstock/error.h"

namespace penstock::speech {
namespace {

using ::testing::HasSubstr;

class AlphabetFile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Alphabet read(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return Alphabet::beside(folder_ / "voice.onnx");
  }
  std::string problem(const std::string& name, const std::string& text) {
    try {
      (void)read(name, text);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  std::filesystem::path folder_ =
      std::filesystem::path(::testing::TempDir()) / "alphabet";
};

TEST_F(AlphabetFile, PutsAPauseAround) {
  const auto alphabet = read("vocab.json", R"({"a": 43, "ˈ": 156})");
  EXPECT_EQ(alphabet.ids(U"ˈaxa"), Tokens({0, 156, 43, 43, 0}));
  EXPECT_EQ(alphabet.ids(U"x"), Tokens());
  EXPECT_EQ(alphabet.ids(U""), Tokens());
}

TEST_F(AlphabetFile, OfPiperHasABlankBehindEach) {
  const auto alphabet = read(
      "voice.onnx.json",
      R"({"audio": {"sample_rate": 16000}, "inference": {"noise_scale": 0.5,
          "length_scale": 2, "noise_w": 0}, "phoneme_id_map":
          {"_": [0], "^": [1], "$": [2], "o": [7], "ʊ": [8]}})");
  ASSERT_NE(alphabet.piper(), nullptr);
  EXPECT_EQ(alphabet.piper()->sample_rate, 16000);
  EXPECT_EQ(alphabet.piper()->length, 2);
  EXPECT_EQ(alphabet.ids(U"O"), Tokens({1, 0, 7, 0, 8, 0, 2}));
}

TEST_F(AlphabetFile, FaultsNameTheirPlace) {
  EXPECT_THAT(problem("other", ""), HasSubstr("there is no vocab.json beside"));
  EXPECT_THAT(problem("vocab.json", R"({"ab": 1})"),
              HasSubstr("'ab' is of a key that is not one"));
  EXPECT_THAT(problem("vocab.json", R"({"a": -1})"), HasSubstr("'a' is -1"));
  EXPECT_THAT(problem("vocab.json", R"({"a": )"), HasSubstr("vocab.json"));
  EXPECT_THAT(problem("voice.onnx.json", R"({"audio": {"sample_rate": 16000},
                                          "phoneme_id_map": {"_": [0]}})"),
              HasSubstr("phoneme_id_map has no ^"));
}

TEST(Espeak, WritesDiphthongsAndLongVowels) {
  EXPECT_EQ(as_espeak(U"həlˈO wˈɜɹld"), U"həlˈoʊ wˈɜːld");
  EXPECT_EQ(as_espeak(U"ʤˈYnɪŋ ʧˈiz"), U"dʒˈɔɪnɪŋ tʃˈiːz");
  EXPECT_EQ(as_espeak(U"fˈɔːɹ"), U"fˈɔːɹ");
  EXPECT_EQ(as_espeak(U"wˈAt—nˈO…"), U"wˈeɪt,nˈoʊ.");
}

}  // namespace
}  // namespace penstock::speech
