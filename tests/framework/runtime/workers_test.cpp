// Whose work comes next.
#include "runtime/workers.h"

#include <gtest/gtest.h>

#include <latch>
#include <string>

namespace penstock {
namespace {

/// The order in which one thread takes the works named so, by client: "a1" is
/// the first of a. All are there before it takes the first.
std::string order(const std::vector<std::string>& names) {
  std::string out;
  std::latch all_there(1);
  {
    Workers workers(1, [] {});
    workers.add([&] { all_there.wait(); });
    for (const std::string& name : names) {
      workers.add([&out, name] { out += name + " "; }, name.substr(0, 1));
    }
    all_there.count_down();
  }
  return out;
}

TEST(Workers, OneClientsWorkIsTakenInOrder) {
  EXPECT_EQ(order({"a1", "a2", "a3"}), "a1 a2 a3 ");
}

TEST(Workers, ClientsTakeTurns) {
  EXPECT_EQ(order({"a1", "a2", "a3", "a4", "b1", "c1", "b2"}),
            "a1 b1 c1 a2 b2 a3 a4 ");
}

TEST(Workers, FinishWhatIsQueued) {
  int done = 0;
  {
    Workers workers(1, [] {});
    for (int i = 0; i < 1000; ++i) workers.add([&] { ++done; });
  }
  EXPECT_EQ(done, 1000);
}

}  // namespace
}  // namespace penstock
