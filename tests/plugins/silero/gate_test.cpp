#include "silero/gate.h"

#include <gtest/gtest.h>

namespace penstock::silero {
namespace {

TEST(Joined, NeighboursBecomeOneUpToALength) {
  const std::vector<Segment> segments = {{.begin = 0, .end = 10},
                                         {.begin = 12, .end = 20},
                                         {.begin = 25, .end = 31},
                                         {.begin = 40, .end = 90}};
  const std::vector<Segment> want = {{.begin = 0, .end = 20},
                                     {.begin = 25, .end = 31},
                                     {.begin = 40, .end = 90}};
  EXPECT_EQ(joined(segments, 30), want);
  EXPECT_EQ(joined({}, 30), std::vector<Segment>());
}

}  // namespace
}  // namespace penstock::silero
