// Where the stress of words goes.
#include "speech/english/stress.h"

#include <gtest/gtest.h>

namespace penstock::speech {
namespace {

TEST(Stress, UnsetLeavesThemAsTheyAre) {
  EXPECT_EQ(stressed(U"həlˈO", {}), U"həlˈO");
}

TEST(Stress, IsTakenAway) {
  EXPECT_EQ(stressed(U"ˌʌndəɹstˈænd", Stress::kNone), U"ʌndəɹstænd");
}

TEST(Stress, GivesWay) {
  EXPECT_EQ(stressed(U"ˌʌndəɹstˈænd", Stress::kLess), U"ʌndəɹstˌænd");
  EXPECT_EQ(stressed(U"ðə", Stress::kLess), U"ðə");
  EXPECT_EQ(stressed(U"hˈI", Stress::kSome), U"hˌI");
}

TEST(Stress, GoesBeforeTheFirstVowelOfABareWord) {
  EXPECT_EQ(stressed(U"stɹit", Stress::kSome), U"stɹˌit");
  EXPECT_EQ(stressed(U"stɹit", Stress::kMore), U"stɹˌit");
  EXPECT_EQ(stressed(U"stɹit", Stress::kFull), U"stɹˈit");
  EXPECT_EQ(stressed(U"hm", Stress::kFull), U"hm");
  EXPECT_EQ(stressed(U"", Stress::kFull), U"");
}

TEST(Stress, RisesInLoudWords) {
  EXPECT_EQ(stressed(U"hˌI", Stress::kFull), U"hˈI");
  EXPECT_EQ(stressed(U"hˌI", Stress::kMore), U"hˌI");
  EXPECT_EQ(stressed(U"hˈIˌa", Stress::kFull), U"hˈIˌa");
}

TEST(Weight, DiphthongsCountTwice) {
  EXPECT_EQ(weight_of(U"kˈæt"), 4);
  EXPECT_EQ(weight_of(U"kAt"), 4);
}

}  // namespace
}  // namespace penstock::speech
