// lib/pictures/tracker.h: things keep their number from picture to picture.
#include "lib/pictures/tracker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace penstock::pictures {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A square of 10 pixels.
Thing at(float left, float top = 0, std::int64_t kind = 0) {
  return {.box = {left, top, left + 10, top + 10}, .kind = kind};
}

TEST(Tracker, ThingsKeepTheirNumber) {
  Tracker tracker({});
  EXPECT_THAT(tracker.next({at(0), at(100)}), ElementsAre(1, 2));
  // The other way round, and one that is new.
  EXPECT_THAT(tracker.next({at(102), at(50), at(3)}), ElementsAre(2, 3, 1));
  // Held against the last place, not the first.
  EXPECT_THAT(tracker.next({at(6), at(105)}), ElementsAre(1, 2));
}

TEST(Tracker, TheBestPairsComeFirst) {
  Tracker tracker({.overlap = 0.1});
  EXPECT_THAT(tracker.next({at(0), at(6)}), ElementsAre(1, 2));
  // The first covers both, the second thing best; what is left takes the rest.
  EXPECT_THAT(tracker.next({at(5), at(-3)}), ElementsAre(2, 1));
  EXPECT_THAT(tracker.next({at(5), at(5, 9)}), ElementsAre(2, 3));
}

TEST(Tracker, UnseenThingsAreForgottenAfterAGap) {
  Tracker tracker({.gap = 2});
  EXPECT_THAT(tracker.next({at(0)}), ElementsAre(1));
  for (int i = 0; i < 2; ++i) EXPECT_THAT(tracker.next({}), IsEmpty());
  EXPECT_THAT(tracker.next({at(1)}), ElementsAre(1));
  for (int i = 0; i < 3; ++i) EXPECT_THAT(tracker.next({}), IsEmpty());
  EXPECT_THAT(tracker.next({at(1)}), ElementsAre(2));
}

TEST(Tracker, ClassesAndDistancePart) {
  Tracker tracker({.overlap = 0.5});
  EXPECT_THAT(tracker.next({at(0)}), ElementsAre(1));
  EXPECT_THAT(tracker.next({at(0, 0, 7)}), ElementsAre(2));
  // 5 of 15: a third.
  EXPECT_THAT(tracker.next({at(5)}), ElementsAre(3));
  Tracker any({.overlap = 0});
  EXPECT_THAT(any.next({at(0)}), ElementsAre(1));
  EXPECT_THAT(any.next({at(50)}), ElementsAre(2)) << "they share nothing";
}

TEST(Tracker, BoxesWithoutAnAreaAreNobody) {
  Tracker tracker({.overlap = 0});
  const Thing none{.box = {5, 5, 5, 5}};
  EXPECT_TRUE(std::isnan(overlap_of(none.box, none.box)));
  EXPECT_THAT(tracker.next({none}), ElementsAre(1));
  EXPECT_THAT(tracker.next({none}), ElementsAre(2));
}

}  // namespace
}  // namespace penstock::pictures
