// pipeline-bench: what it measures adds up, what is missing is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/cli/support.h"

namespace penstock::cli {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

Ran bench(const std::string& arguments) {
  return shell("BENCH=" PENSTOCK_BIN "/pipeline-bench; $BENCH " + arguments);
}

TEST(Bench, GivesEveryTimeAsJson) {
  const Ran ran = bench(
      "$TINY --device cpu,cuda --batch 1,3 --runs 2 --prompt-tokens 20 "
      "--new-tokens 8 --json - --quiet");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.err, "");
  const Json all = Json::parse(ran.out);
  EXPECT_EQ(all["runs"], 2);
  const Json& cpu = all["devices"][0];
  EXPECT_EQ(cpu["device"], "cpu");
  EXPECT_GT(all["peak_mib"], 1);
  ASSERT_EQ(cpu["batches"].size(), 2);
  for (const Json& each : cpu["batches"]) {
    const auto batch = each["batch"].get<std::size_t>();
    EXPECT_EQ(each["run_s"].size(), 2);
    ASSERT_EQ(each["requests"].size(), 2 * batch);
    double most = 0;
    for (const Json& request : each["requests"]) {
      EXPECT_EQ(request["prompt_tokens"], 20);
      EXPECT_EQ(request["new_tokens"], 8);
      EXPECT_GT(request["first_ms"], 0);
      EXPECT_LE(request["first_ms"], request["whole_ms"]);
      most = std::max(most, request["first_ms"].get<double>());
    }
    EXPECT_LE(each["first_token_ms"]["p50"], each["first_token_ms"]["p95"]);
    EXPECT_LE(each["first_token_ms"]["p99"], most);
    EXPECT_GT(each["prefill_tokens_per_s"], 0);
    EXPECT_GT(each["decode_tokens_per_s"], 0);
    // 2 runs of `batch` answers of 8 tokens.
    const double run_s =
        (each["run_s"][0].get<double>() + each["run_s"][1].get<double>()) / 2;
    EXPECT_NEAR(each["tokens_per_s"].get<double>() * run_s,
                8.0 * static_cast<double>(batch), 1e-6);
  }
  const Json& cuda = all["devices"][1];
  EXPECT_THAT(cuda["missing"], HasSubstr("not available"));
  EXPECT_FALSE(cuda.contains("batches"));
}

/// Sum of a variant's steps of all sizes, and those of one size.
std::pair<int, int> steps_of(const Json& load, int size) {
  int all = 0;
  int own = 0;
  for (const Json& each : load["step_sizes"]["by_size"]) {
    for (const Json& count : each["closed"]) {
      all += count.get<int>();
      if (each["sequences"] == size) own += count.get<int>();
    }
  }
  return {all, own};
}

TEST(Bench, ComparesVariantsRunByRun) {
  const Ran ran = bench(
      "$TINY --vs batch.max_sequences=1 --batch 4 --runs 3 --warmup 1 "
      "--prompt-tokens 20 --new-tokens 8 --json -");
  ASSERT_EQ(ran.code, 0) << ran.err;
  // In turns.
  EXPECT_THAT(ran.err, HasSubstr("A: 4 at a time\nB: 4 at a time\n"
                                 "A: 4 at a time\nB: 4 at a time\n"));
  const Json all = Json::parse(ran.out);
  ASSERT_EQ(all["devices"].size(), 2);
  const Json& base = all["devices"][0]["batches"][0];
  const Json& other = all["devices"][1]["batches"][0];
  EXPECT_EQ(all["devices"][1]["settings"], "batch.max_sequences=1");
  // 3 runs of 4 answers of 8 tokens, one sequence in each step.
  EXPECT_EQ(steps_of(other, 1), std::pair(3 * 4 * 8, 3 * 4 * 8));
  const auto [steps, together] = steps_of(base, 4);
  EXPECT_EQ(steps, base["steps"]);
  EXPECT_GT(together, 0);
  EXPECT_LT(steps, 3 * 4 * 8);
  // The last of four alone waits for the three before it.
  EXPECT_GT(other["queue_ms"]["p95"], base["queue_ms"]["p95"]);
  bool is_run_compared = false;
  for (const Json& each : all["comparisons"]) {
    EXPECT_EQ(each["base"], "A");
    EXPECT_EQ(each["variant"], "B");
    EXPECT_EQ(each["pairs"], 3);
    EXPECT_LE(each["low"], each["times_as_fast"]);
    EXPECT_LE(each["times_as_fast"], each["high"]);
    is_run_compared |= each["metric"] == "whole run";
  }
  EXPECT_TRUE(is_run_compared);
}

TEST(Bench, SendsRequestsAtARate) {
  const Ran ran = bench(
      "$TINY --rate 100 --requests 20 --runs 2 --warmup 0 --prompt-tokens 20 "
      "--new-tokens 2 --json - --quiet");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const Json all = Json::parse(ran.out);
  ASSERT_EQ(all["devices"].size(), 1);
  EXPECT_FALSE(all["devices"][0].contains("batches"));
  const Json& load = all["devices"][0]["rates"][0];
  EXPECT_EQ(load["rate"], 100);
  EXPECT_EQ(load["requests"].size(), 40);
  // 19 gaps of 10 ms on average: no run is over at once.
  for (const Json& run : load["run_s"]) EXPECT_GT(run, 0.05);
  EXPECT_GE(load["queue_ms"]["p50"], 0);
}

TEST(Bench, WritesAReport) {
  const Ran ran = bench(
      "$TINY --vs 'decode.top_k=1' --batch 2 --rate 50 --requests 4 --runs 2 "
      "--warmup 0 --new-tokens 4 --html $T/report.html --quiet && "
      "cat $T/report.html");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("<!doctype html>"));
  EXPECT_THAT(ran.out, HasSubstr("times as fast as A"));
  EXPECT_THAT(ran.out, HasSubstr("decode.top_k=1"));
}

TEST(Bench, PrintsATable) {
  const Ran ran = bench("$TINY --device cpu,cuda --batch 2 --runs 1");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("128 prompt tokens, 64 new\n"));
  EXPECT_THAT(ran.out, HasSubstr("cpu         2 "));
  EXPECT_THAT(ran.out, HasSubstr("cuda    missing: device 'cuda'"));
  EXPECT_THAT(ran.err, HasSubstr("cpu: 2 at a time\n"));
}

struct Refusal {
  const char* arguments;
  int code;
  const char* words;
};
class BenchRefuses : public ::testing::TestWithParam<Refusal> {};

TEST_P(BenchRefuses, InOneLine) {
  const Ran ran = bench(GetParam().arguments);
  EXPECT_EQ(ran.code, GetParam().code);
  EXPECT_THAT(ran.err, HasSubstr(GetParam().words));
  EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1) << ran.err;
}

INSTANTIATE_TEST_SUITE_P(
    Table, BenchRefuses,
    ::testing::Values(
        Refusal{"", 2, "FILE is required"},
        Refusal{"$TINY --batch 0", 2, "--batch"},
        Refusal{"$TINY --bath 1", 2, "--bath"},
        Refusal{"$TINY --rate 0", 2, "requests a second in 0.001..1e6"},
        Refusal{"$TINY --vs decode.topk=1", 65, "did you mean 'top_k'"},
        Refusal{"$TINY --vs threads=1", 2, "--vs threads=...: threads are"},
        Refusal{"$TINY --vs decode.top_k=1 --device cpu,cpu,cpu,cpu,cpu", 2,
                "at most 8 can be compared"},
        Refusal{"nowhere.yaml", 66, "no pipeline file 'nowhere.yaml'"},
        Refusal{"$TINY --device cuda", 69, "not available"},
        Refusal{"$TINY --set model=none", 66, "model 'none'"},
        Refusal{"$TINY --prompt-tokens 100000 --runs 1 --quiet", 65, "context"},
        Refusal{"$TINY --batch 1 --runs 1 --quiet --new-tokens 1 "
                "--json /no/such/file >/dev/null",
                75, "cannot write '/no/such/file'"}));

}  // namespace
}  // namespace penstock::cli
