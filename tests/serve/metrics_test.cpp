// What is counted, and the words at the end.
#include "pipeline_serve/serving/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline_serve/serving/summary.h"

namespace penstock::serve {
namespace {

using std::chrono::seconds;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Histogram, KnowsItsQuantiles) {
  Histogram some;
  EXPECT_EQ(some.quantile(0.5), 0);
  for (int i = 1; i <= 100; ++i) some.add(0.001 * i);
  EXPECT_NEAR(some.quantile(0.5), 0.050, 0.050 * 0.03);
  EXPECT_NEAR(some.quantile(0.95), 0.095, 0.095 * 0.03);
  EXPECT_NEAR(some.quantile(1), 0.1, 0.1 * 0.03);
}

TEST(Histogram, TakesAnySeconds) {
  Histogram some;
  for (const double each : {-1.0, 0.0, 1e9}) some.add(each);
  EXPECT_LT(some.quantile(0.5), 2e-5);
  EXPECT_GT(some.quantile(1), 3000);
}

TEST(Metrics, CountTimeInWhichSomethingRan) {
  Metrics::Of of;
  const Time begin = Clock::now();
  of.begin(begin);
  of.begin(begin + seconds(1));
  EXPECT_NEAR(of.busy_s(begin + seconds(2)), 2, 1e-6);
  of.end(begin + seconds(3));
  of.end(begin + seconds(4));
  EXPECT_NEAR(of.busy_s(begin + seconds(9)), 4, 1e-6);
  of.begin(begin + seconds(10));
  of.end(begin + seconds(11));
  EXPECT_NEAR(of.busy_s(begin + seconds(20)), 5, 1e-6);
}

TEST(Summary, SaysWhatWasDoneAndHowLongItTook) {
  Metrics metrics;
  metrics.of("idle", [](Metrics::Of&) {});
  metrics.of("chat", [](Metrics::Of& of) {
    of.requests = 3;
    of.cancelled = 1;
    of.prompt_tokens = 20;
    of.cached_tokens = 8;
    of.begin(Clock::now() - seconds(2));
    of.end(Clock::now());
    of.first_token.add(0.02);
    of.whole.add(0.5);
  });
  const Models none;
  EXPECT_THAT(
      summary(metrics, none),
      ElementsAre(
          "chat: 3 requests, 0 failed, 1 cancelled, 0 refused",
          AllOf(HasSubstr("20 prompt tokens (8 found computed), 0 generated"),
                HasSubstr("in 2.0 s (0.0/s)"),
                ContainsRegex(R"(first output p50 (19|20)\.[0-9] ms)"),
                ContainsRegex(R"(whole p50 (49|50)[0-9]\.[0-9] ms)")),
          "idle: 0 requests, 0 failed, 0 cancelled, 0 refused"));
}

}  // namespace
}  // namespace penstock::serve
