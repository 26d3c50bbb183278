// Lookup: what a sequence guesses of itself, and how guesses that fail become
// rare.
#include "core/lookup.h"

#include <gtest/gtest.h>

#include <string>

namespace penstock::core {
namespace {

struct LookupCase {
  std::string name;
  Tokens tokens, wanted;
  std::int64_t room = 8;
};
void PrintTo(const LookupCase& c, std::ostream* os) { *os << c.name; }

class Guess : public ::testing::TestWithParam<LookupCase> {};

TEST_P(Guess, IsWhatFollowedBefore) {
  Lookup lookup(4);
  lookup.learn(2, 2);  // length 4
  EXPECT_EQ(lookup.guess(GetParam().tokens, GetParam().room),
            GetParam().wanted);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Guess,
    ::testing::ValuesIn<LookupCase>({
        {"Nothing", {}, {}},
        {"OneToken", {5}, {}},
        {"OneTokenAlikeIsTooFew", {5, 1, 2, 3, 5}, {}},
        {"TwoAlike", {5, 6, 1, 2, 3, 4, 5, 6}, {1, 2, 3, 4}},
        {"TheLastOfEquals", {5, 6, 1, 5, 6, 2, 3, 4, 9, 5, 6}, {2, 3, 4, 9}},
        {"TheLongestWins",
         {4, 5, 6, 1, 2, 3, 9, 5, 6, 7, 7, 4, 5, 6},
         {1, 2, 3, 9}},
        {"NoMoreThanTheRoom", {5, 6, 1, 2, 3, 4, 5, 6}, {1, 2}, 2},
        {"NoRoom", {5, 6, 1, 2, 3, 4, 5, 6}, {}, 0},
        {"ALoopGoesOn", {1, 2, 3, 1, 2, 3}, {1, 2, 3, 1}},
        {"OneTokenAgainAndAgain", {7, 7, 7}, {7, 7, 7, 7}},
    }),
    [](const auto& test) { return test.param.name; });

const Tokens kRepeated{5, 6, 1, 2, 3, 4, 8, 9, 7, 5, 6};

TEST(Lookup, GuessesMoreWhileTheyComeTrue) {
  Lookup lookup(7);
  for (const std::size_t length : {2U, 4U, 7U, 7U}) {
    const Tokens guess = lookup.guess(kRepeated, 100);
    EXPECT_EQ(guess.size(), length);
    lookup.learn(static_cast<std::int64_t>(length),
                 static_cast<std::int64_t>(length));
  }
  lookup.learn(7, 3);
  EXPECT_EQ(lookup.guess(kRepeated, 100).size(), 3);
  lookup.learn(3, 2);  // good enough to go on
  EXPECT_EQ(lookup.guess(kRepeated, 100).size(), 3);
}

TEST(Lookup, FallsSilentWhereTheyDoNot) {
  Lookup lookup(8);
  int guesses = 0;
  for (int step = 0; step < 1000; ++step) {
    if (lookup.guess(kRepeated, 100).empty()) continue;
    ++guesses;
    lookup.learn(1, 0);
  }
  EXPECT_GE(guesses, 1000 / 65);
  EXPECT_LE(guesses, 25);
  // And finds its voice again.
  while (lookup.guess(kRepeated, 100).empty()) {
  }
  lookup.learn(1, 1);
  EXPECT_FALSE(lookup.guess(kRepeated, 100).empty());
}

}  // namespace
}  // namespace penstock::core
