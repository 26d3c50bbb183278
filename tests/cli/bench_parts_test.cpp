// pipeline-bench's parts without a pipeline: warm-ups, ratios, rounds, steps,
// arrivals, the page.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "pipeline_bench/html/page.h"
#include "pipeline_bench/html/svg.h"
#include "pipeline_bench/report.h"
#include "pipeline_bench/rounds.h"
#include "pipeline_bench/statistics.h"
#include "pipeline_bench/steps.h"

namespace penstock::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

struct WarmCase {
  const char* name;
  std::vector<double> times;
  std::size_t want;
};
void PrintTo(const WarmCase& c, std::ostream* out) { *out << c.name; }

class WarmFrom : public ::testing::TestWithParam<WarmCase> {};

TEST_P(WarmFrom, CutsWhatWasSlowerAtTheBeginning) {
  EXPECT_EQ(warm_from(GetParam().times), GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(
    Table, WarmFrom,
    ::testing::Values(WarmCase{"OneSlowRun", {9, 5, 5.1, 4.9, 5}, 1},
                      WarmCase{"TwoSlowRuns", {9, 7, 5, 5.1, 4.9, 5}, 2},
                      WarmCase{"AlreadyWarm", {5, 5.1, 4.9, 5, 5.05}, 0},
                      WarmCase{"FastAtFirstIsNoWarmup", {1, 5, 5.1, 4.9, 5}, 0},
                      WarmCase{"ASlowOneLater", {5, 5, 9, 5, 5, 5}, 0},
                      WarmCase{"NeverMoreThanHalf", {9, 8, 7, 6}, 2},
                      WarmCase{"TooFewToTell", {9, 5}, 0},
                      WarmCase{"None", {}, 0}),
    [](const auto& test) { return test.param.name; });

TEST(PairedRatio, FindsWhatIsCommonToNoisyPairs) {
  // The machine's noise, which both of a pair meet, is ten times the
  // difference.
  std::vector<double> base;
  std::vector<double> other;
  std::mt19937_64 random(7);  // NOLINT(*-msc51-cpp): the same in every run
  std::uniform_real_distribution<double> noise(1, 2);
  std::uniform_real_distribution<double> small(0.99, 1.01);
  for (int i = 0; i < 20; ++i) {
    const double machine = noise(random);
    base.push_back(1.1 * machine * small(random));
    other.push_back(machine * small(random));
  }
  const Ratio ratio = paired_ratio(base, other);
  EXPECT_EQ(ratio.pairs, 20);
  EXPECT_NEAR(ratio.value, 1.1, 0.01);
  EXPECT_LT(ratio.low, 1.1);
  EXPECT_GT(ratio.high, 1.1);
  EXPECT_LT(ratio.high - ratio.low, 0.02);
  EXPECT_TRUE(ratio.is_clear());
}

TEST(PairedRatio, IntervalHoldsTheTruthNinetyFiveTimesInAHundred) {
  std::mt19937_64 random(11);  // NOLINT(*-msc51-cpp): the same in every run
  std::normal_distribution<double> noise(0, 0.05);
  constexpr int kTries = 300;
  int held = 0;
  for (int i = 0; i < kTries; ++i) {
    std::vector<double> base;
    std::vector<double> other;
    for (int k = 0; k < 5; ++k) {
      base.push_back(std::exp(noise(random)) * 1.2);
      other.push_back(std::exp(noise(random)));
    }
    const Ratio ratio = paired_ratio(base, other);
    held += ratio.low <= 1.2 && 1.2 <= ratio.high ? 1 : 0;
  }
  // 95 % of 300, and four times the error of such a count (1.26 %): a plain
  // percentile interval of five pairs holds it 83 times in a hundred.
  EXPECT_GE(held, static_cast<int>(kTries * 0.90));
  EXPECT_LE(held, kTries);
}

TEST(PairedRatio, OfOnePairOrNoneClaimsNothing) {
  const Ratio none = paired_ratio({}, {});
  EXPECT_EQ(none.pairs, 0);
  EXPECT_FALSE(none.is_clear());
  const std::vector<double> zero{0, 2};
  const std::vector<double> two{1, 1};
  EXPECT_EQ(paired_ratio(zero, two).pairs, 1);
  EXPECT_DOUBLE_EQ(paired_ratio(zero, two).value, 2);
}

TEST(Arrivals, AreTheSameForEachVariantAndKeepTheirRate) {
  const auto at = arrivals(50, 2000, 3);
  EXPECT_EQ(at, arrivals(50, 2000, 3));
  EXPECT_NE(at, arrivals(50, 2000, 4));
  EXPECT_EQ(at.front(), 0);
  EXPECT_TRUE(std::is_sorted(at.begin(), at.end()));
  // 1999 gaps of mean 20 ms; their sum's error is 20 ms * sqrt(1999).
  EXPECT_NEAR(at.back(), 39.98, 4 * 0.02 * std::sqrt(1999.0));
}

/// A run that took `ms`, of one request.
Run run_of(double ms) {
  Run run;
  run.end = run.begin + std::chrono::duration_cast<Clock::duration>(
                            std::chrono::duration<double, std::milli>(ms));
  run.requests.push_back({.first_ms = ms / 4,
                          .whole_ms = ms,
                          .wait_ms = ms / 8,
                          .between_ms = {ms / 4, ms / 4},
                          .prompt_tokens = 3,
                          .new_tokens = 3,
                          .prefill_ms = ms / 4,
                          .decode_ms = ms / 2});
  run.stats.forward_s = ms / 2e3;
  run.stats.steps = 3;
  return run;
}

TEST(Measure, TakesTurnsAndWaitsUntilAllAreWarm) {
  std::string order;
  const auto run = [&](std::size_t variant, std::uint64_t round) {
    order += static_cast<char>('A' + variant);
    const bool is_cold = variant == 1 && round <= 2;
    return run_of(is_cold ? 50 : 10 + static_cast<double>(round % 2));
  };
  const auto all = measure(3, {.batch = 1, .requests = 1}, {.runs = 4}, run);
  EXPECT_EQ(order, "ABCABCABCABCABCABC");
  ASSERT_EQ(all.size(), 3);
  for (const Measured& each : all) {
    EXPECT_EQ(each.warmup, 2);
    EXPECT_EQ(each.warm().size(), 4);
    EXPECT_TRUE(each.is_steady);
  }
}

TEST(Measure, KeepsToAGivenWarmup) {
  int runs = 0;
  const auto all = measure(
      1, {.batch = 1, .requests = 1}, {.runs = 2, .warmup = 3},
      [&](std::size_t, std::uint64_t) { return run_of(10.0 - ++runs); });
  EXPECT_EQ(runs, 5);
  EXPECT_EQ(all[0].warmup, 3);
}

TEST(Measure, SaysWhenNothingBecomesSteady) {
  double ms = 1e6;
  const auto all =
      measure(1, {.batch = 1, .requests = 1}, {.runs = 3},
              [&](std::size_t, std::uint64_t) { return run_of(ms /= 2); });
  EXPECT_FALSE(all[0].is_steady);
  EXPECT_EQ(all[0].runs.size(), 3 + kMostWarmup);
  EXPECT_EQ(all[0].warm().size(), 3);
}

TEST(CountSteps, CountsThoseOfTheSpansBySizeAndReason) {
  const Time zero{};
  const auto at = [&](int us) { return zero + std::chrono::microseconds(us); };
  const std::string trace = R"({"traceEvents":[
    {"name":"thread_name","ph":"M","pid":1,"tid":1,"args":{"name":"engine"}},
    {"name":"forward","ph":"X","ts":5,"dur":1,
     "args":{"closed":"full","sequences":[{"id":"0"}]}},
    {"name":"forward","ph":"X","ts":15,"dur":1,
     "args":{"closed":"full","sequences":[{"id":"0"},{"id":"1"}]}},
    {"name":"decode","ph":"X","ts":16,"dur":1,"args":{}},
    {"name":"forward","ph":"X","ts":25,"dur":1,
     "args":{"closed":"running","sequences":[{"id":"0"},{"id":"1"}]}}]})";
  const StepCounts steps = count_steps(trace, {{at(10), at(30)}});
  EXPECT_EQ(steps.known(), 2);
  EXPECT_EQ(steps.most(), 2);
  ASSERT_EQ(steps.by_size.size(), 1);
  EXPECT_THAT(steps.by_size.at(2), ElementsAre(0, 1, 0, 0, 1));
}

Result two_variants() {
  Result result{
      .pipeline = "<b>\"x\"</b>", .model = "tiny", .processor = "cpu"};
  result.threads = 1;
  result.runs = 4;
  for (const double ms : {20.0, 10.0}) {
    VariantResult variant{.name = ms > 15 ? "A" : "B", .device = "cpu"};
    if (ms < 15) variant.settings = "forward.dtype='<script>'";
    for (Measured& each :
         measure(1, {.batch = 1, .requests = 1}, {.runs = 4, .warmup = 1},
                 [&](std::size_t, std::uint64_t) { return run_of(ms); })) {
      each.steps.by_size[1] = {0, 1, 0, 2, 9};
      each.steps.ran = 12;
      variant.loads.push_back(std::move(each));
    }
    result.variants.push_back(std::move(variant));
  }
  result.variants.push_back(
      {.name = "C", .device = "cuda", .missing = "no <device>"});
  return result;
}

TEST(Page, HasEveryPlotAndEscapesNames) {
  const std::string page = to_html(two_variants());
  EXPECT_THAT(page, HasSubstr("&lt;b&gt;&quot;x&quot;&lt;/b&gt;"));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, HasSubstr("no &lt;device&gt;"));
  std::size_t drawings = 0;
  for (std::size_t at = page.find("<svg"); at != std::string::npos;
       at = page.find("<svg", at + 1)) {
    ++drawings;
  }
  EXPECT_EQ(drawings, 6);
  EXPECT_THAT(page, HasSubstr("prefers-color-scheme: dark"));
  // Nothing is fetched: the only addresses would be in these.
  for (const char* fetch : {"src=", "href=", "url(", "@import", "http"}) {
    EXPECT_THAT(page, Not(HasSubstr(fetch)));
  }
  EXPECT_THAT(page, Not(HasSubstr("nan")));
  EXPECT_THAT(page, Not(HasSubstr("inf\"")));
}

TEST(Table, TellsTheRatioAndTheMissingVariant) {
  const std::string text = table(two_variants());
  EXPECT_THAT(text, HasSubstr("times as fast as A"));
  EXPECT_THAT(text, HasSubstr("B           1  whole run          2.000  "
                              "(2.000 .. 2.000)\n"));
  EXPECT_THAT(text, HasSubstr("C       missing: no <device>\n"));
  EXPECT_THAT(text, HasSubstr("1: 1 full, 2 drained, 9 running\n"));
}

struct NumberCase {
  double value;
  const char* want;
};
class ShortNumber : public ::testing::TestWithParam<NumberCase> {};
TEST_P(ShortNumber, IsForPeople) {
  EXPECT_EQ(short_number(GetParam().value), GetParam().want);
}
INSTANTIATE_TEST_SUITE_P(Table, ShortNumber,
                         ::testing::Values(NumberCase{0, "0"},
                                           NumberCase{12345.6, "12346"},
                                           NumberCase{1.2345, "1.23"},
                                           NumberCase{0.01234, "0.0123"},
                                           NumberCase{999.7, "1000"}));

TEST(ScaleTicks, AreRoundAndWithin) {
  EXPECT_THAT((Scale{.low = 0, .high = 10, .from = 0, .to = 1}.ticks(5)),
              ElementsAre(0, 2, 4, 6, 8, 10));
  const Scale log{.low = 1, .high = 100, .from = 0, .to = 2, .is_log = true};
  EXPECT_THAT(log.ticks(), ElementsAre(1, 2, 5, 10, 20, 50, 100));
  EXPECT_DOUBLE_EQ(log.at(10), 1);
}

}  // namespace
}  // namespace penstock::bench
