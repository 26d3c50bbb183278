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
  EXPECT_GT(cpu["peak_mib"], 1);
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
        Refusal{"nowhere.yaml", 66, "no pipeline file 'nowhere.yaml'"},
        Refusal{"$TINY --device cuda", 69, "not available"},
        Refusal{"$TINY --set model=none", 66, "model 'none'"},
        Refusal{"$TINY --prompt-tokens 100000 --runs 1 --quiet", 65, "context"},
        Refusal{"$TINY --batch 1 --runs 1 --quiet --new-tokens 1 "
                "--json /no/such/file >/dev/null",
                75, "cannot write '/no/such/file'"}));

}  // namespace
}  // namespace penstock::cli
