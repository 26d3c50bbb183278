// Error: its places are kept one by one and shown as lines.
#include "penstock/error.h"

#include <gtest/gtest.h>

namespace penstock {
namespace {

Place stage() {
  return {
      .kind = Place::Kind::kStage, .name = "decode", .detail = "core.sample"};
}

TEST(Error, ShowsItsPlacesInnermostFirst) {
  Error error(Code::kData, "no sevens");
  error.in(stage()).in(Place::request("a")).in(Place::step("answer"));
  EXPECT_STREQ(error.what(),
               "no sevens\n  in stage 'decode' (core.sample)\n"
               "  in request 'a'\n  in step 'answer'");
  EXPECT_EQ(error.text(), "no sevens");
  ASSERT_EQ(error.places().size(), 3);
  EXPECT_EQ(error.places()[0].detail, "core.sample");
  EXPECT_EQ(error.places()[2].kind, Place::Kind::kStep);
}

TEST(Error, LeavesOutPlacesOfAKindWhateverTheTextSays) {
  Error error(Code::kData, "said\n  in request 'a'");
  error.in(Place::request("a")).in(Place::input("stdin, line 3"));
  EXPECT_EQ(error.text_without(Place::Kind::kRequest),
            "said\n  in request 'a'\n  in stdin, line 3");
}

TEST(Error, TakesPlacesOfOtherKindsAsTexts) {
  Error error(Code::kInternal, "lost");
  error.in("the attic");
  EXPECT_STREQ(error.what(), "lost\n  in the attic");
}

}  // namespace
}  // namespace penstock
