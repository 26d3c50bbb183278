#include "runtime/trace.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace penstock {
namespace {

TEST(Trace, KeepsTheNewestEventsAndEveryName) {
  Trace trace(/*is_enabled=*/true, /*process=*/7, /*most_events=*/2);
  trace.name_process("chat");
  const Time now = Clock::now();
  for (const char* name : {"a", "b", "c"}) trace.span(name, now, now, "");
  const auto events = nlohmann::json::parse(trace.json())["traceEvents"];
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0]["args"]["name"], "chat");
  EXPECT_EQ(events[1]["name"], "b");
  EXPECT_EQ(events[2]["name"], "c");
  EXPECT_EQ(events[2]["pid"], 7);
}

TEST(Trace, IsEmptyUnlessEnabled) {
  Trace trace(/*is_enabled=*/false);
  trace.span("a", Clock::now(), Clock::now(), "");
  EXPECT_EQ(trace.json(), "{\"traceEvents\":[\n]}\n");
}

}  // namespace
}  // namespace penstock
