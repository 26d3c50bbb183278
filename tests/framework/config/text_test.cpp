// UTF-8: what is well formed, what may still become a character.
#include "penstock/text.h"

#include <gtest/gtest.h>

namespace penstock {
namespace {

TEST(Utf8, FindsTheFirstBadByte) {
  EXPECT_FALSE(invalid_utf8(""));
  EXPECT_FALSE(invalid_utf8("a\u00E9\u20AC\U0001F600"));
  for (const std::string bad :
       {"\xFF", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80",
        "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\x80",
        "\xE2\x82", "\xE2\x28\xA1"}) {
    EXPECT_EQ(invalid_utf8("ab" + bad), 2);
  }
}

TEST(Utf8, HoldsBackOnlyWhatMayStillComplete) {
  EXPECT_EQ(complete_utf8("ab"), 2);
  EXPECT_EQ(complete_utf8("ab\xE2"), 2);
  EXPECT_EQ(complete_utf8("ab\xE2\x82"), 2);
  EXPECT_EQ(complete_utf8("ab\xE2\x82\xAC"), 5);
  EXPECT_EQ(complete_utf8("ab\xF0\x9F\x98"), 2);
  EXPECT_EQ(complete_utf8("ab\xFF"), 3);  // never a character
  EXPECT_EQ(complete_utf8("\x80\x80\x80"), 3);
}

TEST(Utf8, ReplacesEachBadByte) {
  EXPECT_EQ(replace_invalid_utf8("a\xFF\xE2\x82z"), "a\uFFFD\uFFFD\uFFFDz");
  EXPECT_EQ(replace_invalid_utf8("\u20AC"), "\u20AC");
}

}  // namespace
}  // namespace penstock
