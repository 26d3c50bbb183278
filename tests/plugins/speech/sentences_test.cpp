// Where texts are cut.
#include "speech/english/sentences.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "speech/english/characters.h"
#include "speech/phonemes.h"

namespace penstock::speech {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> cut(const std::string& text) {
  const Sentences sentences({U"Dr", U"St"});
  std::vector<std::string> out;
  sentences.each(text, [&](const std::u32string& sentence) {
    out.push_back(utf8_of(sentence));
  });
  return out;
}

TEST(Sentences, EndBehindMarksAndLines) {
  EXPECT_THAT(cut("One. Two! Three? Four… Five"),
              ElementsAre("One.", "Two!", "Three?", "Four…", "Five"));
  EXPECT_THAT(cut("a line\n\n  another \r\nand one"),
              ElementsAre("a line", "another", "and one"));
  EXPECT_THAT(cut("He said \"Go.\" Then he went."),
              ElementsAre("He said \"Go.", "Then he went."));
}

TEST(Sentences, GoOnBehindTitlesInitialsAndBeforeSmallLetters) {
  EXPECT_THAT(cut("Dr. Smith met J. K. Rowling. Then"),
              ElementsAre("Dr. Smith met J. K. Rowling.", "Then"));
  EXPECT_THAT(cut("See no. five and go"), ElementsAre("See no. five and go"));
  EXPECT_THAT(cut("(St. Mary)"), ElementsAre("(St. Mary)"));
}

TEST(Sentences, BlankTextsHaveNone) {
  EXPECT_THAT(cut(""), IsEmpty());
  EXPECT_THAT(cut(" \n \t \n"), IsEmpty());
}

TEST(Sentences, LongOnesAreCutAndNothingIsLost) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "word" + std::to_string(i) + " ";
  std::string joined;
  for (const std::string& part : cut(text)) {
    EXPECT_LE(part.size(), Sentences::kMost);
    joined += part + " ";
  }
  EXPECT_EQ(joined, text);
  std::size_t size = 0;
  for (const std::string& part : cut(std::string(5000, 'x'))) {
    EXPECT_LE(part.size(), Sentences::kMost);
    size += part.size();
  }
  EXPECT_EQ(size, 5000U);
}

TEST(Sentences, LongOnesAreCutBehindAClause) {
  const std::string first = std::string(600, 'a') + ",";
  const auto parts =
      cut(first + " " + std::string(300, 'b') + " " + std::string(300, 'c'));
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0], first);
}

TEST(Pieces, EndBehindClausesElseWordsElseAnywhere) {
  using Views = std::vector<std::u32string_view>;
  EXPECT_EQ(pieces_of(U"abc", 3), Views({U"abc"}));
  EXPECT_EQ(pieces_of(U"ab, cd ef", 8), Views({U"ab,", U"cd ef"}));
  EXPECT_EQ(pieces_of(U"ab cd ef", 6), Views({U"ab cd", U"ef"}));
  EXPECT_EQ(pieces_of(U"abcdef", 4), Views({U"abcd", U"ef"}));
  EXPECT_EQ(pieces_of(U"", 4), Views());
}

}  // namespace
}  // namespace penstock::speech
