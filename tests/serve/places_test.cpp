// Places: a flood of one client leaves room for others.
#include "pipeline_serve/serving/places.h"

#include <gtest/gtest.h>

namespace penstock::serve {
namespace {

const Time kStart = Time() + std::chrono::hours(1);

Time at(double seconds) {
  return kStart + std::chrono::duration_cast<Clock::duration>(
                      std::chrono::duration<double>(seconds));
}

/// How many of the client's requests are let in, one after another.
int flood(Places& places, const std::string& client, int requests = 1000) {
  int count = 0;
  for (int i = 0; i < requests; ++i) count += places.take(client, 1) ? 1 : 0;
  return count;
}

TEST(Places, OneClientMayHaveThemAll) {
  Places places({.slots = 2, .most = 12});
  EXPECT_EQ(flood(places, ""), 12);
  EXPECT_EQ(places.taken(), 12);
  places.give_back("", 1, kStart);
  EXPECT_EQ(flood(places, ""), 1);
}

TEST(Places, AFloodLeavesTheOthersTheirShares) {
  Places places({.slots = 2, .most = 12});
  EXPECT_EQ(flood(places, "a"), 12);
  EXPECT_EQ(flood(places, "b"), 6);
  EXPECT_EQ(flood(places, "c"), 4);
  EXPECT_EQ(flood(places, "a"), 0);
  // Shares are of those who are there.
  places.give_back("b", 6, kStart);
  EXPECT_EQ(flood(places, "c"), 2);
}

TEST(Places, EvenATinyQueueHasOneForEachClient) {
  Places places({.slots = 1, .most = 3});
  for (const char* name : {"a", "a", "a", "b", "c", "d", "e"}) {
    EXPECT_TRUE(places.take(name, 1)) << name;
  }
  EXPECT_FALSE(places.take("e", 1));
  EXPECT_FALSE(places.take("a", 1));
}

TEST(Places, ACrowdIsBounded) {
  Places places({.slots = 1, .most = 3, .crowd = 4});
  int all = 0;
  for (int i = 0; i < 100; ++i) all += flood(places, std::to_string(i));
  EXPECT_EQ(all, 12);
}

TEST(Places, WhatComesTogetherIsLetInTogether) {
  Places places({.slots = 2, .most = 12});
  EXPECT_TRUE(places.take("a", 20)) << "alone";
  EXPECT_FALSE(places.take("b", 7));
  EXPECT_TRUE(places.take("b", 6));
  places.give_back("a", 20, kStart);
  EXPECT_EQ(places.taken(), 6);
}

TEST(Places, TellsHowLongThoseHereWillTake) {
  Places places({.slots = 2, .most = 12});
  EXPECT_EQ(flood(places, "a"), 12);
  EXPECT_DOUBLE_EQ(places.drain_s(), 6) << "a second each, two at a time";
  for (int i = 0; i < 8; ++i) places.give_back("a", 1, at(0.25 * i));
  EXPECT_NEAR(places.drain_s(), 0.25 * static_cast<double>(places.taken()),
              1e-6);
}

TEST(Places, ATimeWithoutAnybodyIsNoTimeBetweenEnds) {
  Places places({.slots = 1, .most = 4});
  EXPECT_EQ(flood(places, "a"), 4);
  for (int i = 0; i < 4; ++i) places.give_back("a", 1, at(i));
  EXPECT_EQ(flood(places, "a"), 4);
  places.give_back("a", 1, at(1000));
  places.give_back("a", 1, at(1001));
  EXPECT_NEAR(places.drain_s(), 2, 1e-6);
}

}  // namespace
}  // namespace penstock::serve
