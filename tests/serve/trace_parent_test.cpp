// The rules of W3C Trace Context for `traceparent`.
#include "pipeline_serve/http/trace_parent.h"

#include <gtest/gtest.h>

namespace penstock::serve {
namespace {

const std::string kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string kParent = "00f067aa0ba902b7";

std::optional<TraceParent> parsed(const std::string& value) {
  Fields fields;
  fields.add("Traceparent", value);
  return trace_parent_of(fields);
}

TEST(TraceParent, IsTakenOver) {
  const auto found = parsed("00-" + kTrace + "-" + kParent + "-01");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->trace_id, kTrace);
  EXPECT_EQ(found->parent_id, kParent);
}

TEST(TraceParent, OfALaterVersionMayHaveMore) {
  EXPECT_TRUE(parsed("cc-" + kTrace + "-" + kParent + "-01"));
  EXPECT_TRUE(parsed("cc-" + kTrace + "-" + kParent + "-01-what.comes"));
  EXPECT_FALSE(parsed("cc-" + kTrace + "-" + kParent + "-01.what"));
}

TEST(TraceParent, IsAsIfNotThereWhereItIsWrong) {
  std::string upper = kTrace;
  upper[0] = 'A';
  for (const std::string& value : std::vector<std::string>{
           "", "00", "00-" + kTrace + "-" + kParent,
           "00-" + kTrace + "-" + kParent + "-1",
           "00-" + kTrace + "-" + kParent + "-01-more",
           "00-" + kTrace + "-" + kParent + "-01 ",
           "ff-" + kTrace + "-" + kParent + "-01",
           "0g-" + kTrace + "-" + kParent + "-01",
           "00-" + upper + "-" + kParent + "-01",
           "00-" + std::string(32, '0') + "-" + kParent + "-01",
           "00-" + kTrace + "-" + std::string(16, '0') + "-01",
           "00-" + kTrace + "-" + kParent + "-0x",
           "00_" + kTrace + "-" + kParent + "-01",
           "00-" + kTrace + "_" + kParent + "-01",
           "00-" + kTrace + "-" + kParent + "_01"}) {
    EXPECT_FALSE(parsed(value)) << value;
  }
}

TEST(TraceParent, IsOne) {
  EXPECT_FALSE(trace_parent_of({}));
  Fields twice;
  for (int i = 0; i < 2; ++i) {
    twice.add("traceparent", "00-" + kTrace + "-" + kParent + "-01");
  }
  EXPECT_FALSE(trace_parent_of(twice));
}

}  // namespace
}  // namespace penstock::serve
