#include "whisper/vocabulary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "penstock/error.h"
#include "tests/plugins/whisper/small_vocabulary.h"

namespace penstock::whisper {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Vocabulary, SpellsTokensAsBytes) {
  const Vocabulary words = small_vocabulary();
  EXPECT_EQ(words.bytes(0), "a");
  EXPECT_EQ(words.bytes(1), " b");
  EXPECT_EQ(words.bytes(4), "\xC3");
  EXPECT_EQ(words.bytes(kEnd), "");
}

TEST(Vocabulary, KnowsTheMarks) {
  const Vocabulary words = small_vocabulary();
  EXPECT_EQ(words.end, 5);
  EXPECT_EQ(words.start, 6);
  EXPECT_EQ(words.no_speech, 8);
  EXPECT_EQ(words.first_time, 10);
  EXPECT_FALSE(words.is_multilingual);
  EXPECT_THAT(words.suppressed, ElementsAre(3));
  EXPECT_THAT(words.suppressed_at_begin, ElementsAre(5));
}

void expect_error(const std::string& tokens, const std::string& settings,
                  const std::string& text) {
  try {
    (void)small_vocabulary(tokens, settings);
    FAIL() << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    EXPECT_THAT(error.what(), HasSubstr(text));
  }
}

TEST(Vocabulary, SaysWhatIsWrong) {
  expect_error("{", "{}", "tokenizer.json");
  expect_error(R"({"model": {"vocab": {"a": 0}}, "added_tokens": []})", "{}",
               "has no token <|endoftext|>");
  expect_error(R"({"model": {"vocab": {"日": 0}}, "added_tokens": []})", "{}",
               "is not written byte by byte");
  expect_error(R"({"model": {"vocab": {"a": 99999999}}, "added_tokens": []})",
               "{}", "99999999");
  expect_error(kTokens, "{}", "suppress_ids");
  expect_error(kTokens, R"({"suppress_ids": [-1], "suppress_ids_begin": []})",
               "suppress_ids[0]");
}

}  // namespace
}  // namespace penstock::whisper
