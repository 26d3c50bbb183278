// --check --memory and --memory-limit on a small model: what is told, and what
// is refused before anything is loaded.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/support.h"

namespace penstock::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Json = nlohmann::json;

Json plan_of(const std::string& arguments) {
  const Ran ran = run_tiny("--check --memory --json " + arguments);
  EXPECT_EQ(ran.code, 0) << ran.err;
  return Json::parse(ran.out);
}

Json stage_of(const Json& plan, const std::string& kind) {
  for (const Json& each : plan["stages"]) {
    if (each["kind"] == kind) return each;
  }
  return {};
}

TEST(MemoryPlan, NamesEveryStageAndWhatItTakes) {
  const Ran ran = run_tiny("--check --memory --text a");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out,
              AllOf(HasSubstr("programs and libraries"),
                    HasSubstr("forward gemma.forward"),
                    HasSubstr("peak on cpu: "), HasSubstr("there are ")));
}

TEST(MemoryPlan, KnowsTheRequestsOfTheCommandLine) {
  const Json one = stage_of(plan_of("--text abc"), "forward");
  EXPECT_EQ(one["sequences"], 1);
  const Json two = stage_of(plan_of("--text abc --text abcdef"), "forward");
  EXPECT_EQ(two["sequences"], 2);
  EXPECT_EQ(two["tokens"].get<int>() - one["tokens"].get<int>(), 3);
  const Json longer = stage_of(
      plan_of("--text abc --set decode.max_new_tokens=100"), "forward");
  EXPECT_EQ(longer["tokens"].get<int>() - one["tokens"].get<int>(), 36);
  const Json any = stage_of(plan_of("--jsonl /dev/null"), "forward");
  EXPECT_EQ(any["sequences"], 8) << "as many as the batch takes";
  EXPECT_EQ(any["tokens"], 0) << "as long as the model takes";
}

TEST(MemoryPlan, SaysThatAStageDoesNotSay) {
  const Ran ran = shell("$RUN $BAD --check --memory");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("unknown"));
  EXPECT_FALSE(
      stage_of(Json::parse(shell("$RUN $BAD --check --memory --json").out),
               "postprocess")["known"]
          .get<bool>());
}

struct Case {
  const char* name;
  const char* arguments;
  int code;
  const char* words;
};
void PrintTo(const Case& c, std::ostream* os) { *os << c.name; }
class MemoryLimit : public ::testing::TestWithParam<Case> {};

TEST_P(MemoryLimit, IsHeld) {
  const Case& c = GetParam();
  const Ran ran = run_tiny(c.arguments);
  EXPECT_EQ(ran.code, c.code) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr(c.words));
  EXPECT_EQ(ran.out.find("token_ids"), std::string::npos) << "nothing ran";
}

INSTANTIATE_TEST_SUITE_P(
    Table, MemoryLimit,
    ::testing::Values(
        Case{"Enough", "--text a --quiet --memory-limit 3G", 0, ""},
        Case{"TooLittleForARun", "--text a --json --memory-limit 20M", 65,
             "MiB of memory, but there are 20 MiB by --memory-limit: programs "
             "and libraries "},
        Case{"TooLittleForACheck", "--check --memory-limit 20MiB", 65,
             "20 MiB by --memory-limit"},
        Case{"TooLittleForThePlan", "--check --memory --memory-limit 0.02G", 65,
             "20 MiB by --memory-limit"},
        Case{"NoSize", "--memory-limit much", 2,
             "expected a size such as 800M or 1.5G, not 'much'"},
        Case{"NoUnit", "--memory-limit 5X", 2, "not '5X'"},
        Case{"Nothing", "--memory-limit 0", 2, "not '0'"},
        Case{"Alone", "--memory", 2, "--check --memory"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace penstock::cli
