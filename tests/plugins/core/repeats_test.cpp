// Which tokens would write an n-gram again, or make a bad word whole.
#include "core/repeats.h"

#include <gtest/gtest.h>

namespace penstock::core {
namespace {

struct RepeatsCase {
  std::string name;
  Tokens tokens;
  std::int64_t n;
  Tokens wanted;
};
void PrintTo(const RepeatsCase& c, std::ostream* os) { *os << c.name; }

class Ngrams : public ::testing::TestWithParam<RepeatsCase> {};

TEST_P(Ngrams, AreNotRepeated) {
  EXPECT_EQ(would_repeat(GetParam().tokens, GetParam().n), GetParam().wanted);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Ngrams,
    ::testing::ValuesIn<RepeatsCase>({
        {"Off", {1, 1, 1}, 0, {}},
        {"OfNothing", {}, 2, {}},
        {"EveryTokenOnce", {3, 4, 3}, 1, {3, 4, 3}},
        {"WhatFollowedTheLastBefore", {3, 4, 5, 3}, 2, {4}},
        {"Overlapping", {3, 3, 3}, 3, {3}},
        {"AsLongAsTheRow", {3, 4, 3}, 3, {}},
        {"LongerThanTheRow", {3, 4}, 9, {}},
    }),
    [](const auto& test) { return test.param.name; });

TEST(BadWords, AreNotCompleted) {
  const std::vector<Tokens> words{{9}, {3, 8}, {4, 3, 7}, {5, 3, 6}, {1, 2, 4}};
  EXPECT_EQ(would_complete({2, 4, 3}, words), (Tokens{9, 8, 7}));
  EXPECT_EQ(would_complete({}, words), Tokens{9});
  EXPECT_EQ(would_complete({3}, words), (Tokens{9, 8}));
}

}  // namespace
}  // namespace penstock::core
