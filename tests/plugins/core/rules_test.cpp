// What a request's params say, and what is wrong with them.
#include "core/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "penstock/error.h"

namespace penstock::core {
namespace {

using ::testing::HasSubstr;

struct RulesCase {
  std::string name;
  SampleParams params;
  std::string wanted;
};
void PrintTo(const RulesCase& c, std::ostream* os) { *os << c.name; }

class Conflicts : public ::testing::TestWithParam<RulesCase> {};

TEST_P(Conflicts, AreExplained) {
  EXPECT_THAT(conflict(GetParam().params), HasSubstr(GetParam().wanted));
}

SampleParams with(void (*change)(SampleParams&)) {
  SampleParams params;
  change(params);
  return params;
}

INSTANTIATE_TEST_SUITE_P(
    Table, Conflicts,
    ::testing::ValuesIn<RulesCase>({
        {"BiasWithoutValue", with([](auto& p) { p.logit_bias = {"7"}; }),
         "expected ID:BIAS"},
        {"BiasOfANegativeId", with([](auto& p) { p.logit_bias = {"-7:1"}; }),
         "not '-7:1'"},
        {"BiasThatIsNoNumber", with([](auto& p) { p.logit_bias = {"7:nan"}; }),
         "not '7:nan'"},
        {"BiasTwice", with([](auto& p) {
           p.logit_bias = {"7:1", "7:2"};
         }),
         "token id 7 stands there twice"},
        {"WordOfText", with([](auto& p) { p.bad_words = {"rude"}; }),
         "expected token ids"},
        {"EmptyWord", with([](auto& p) { p.bad_words = {" "}; }),
         "a word has no token ids"},
        {"MinAboveMax", with([](auto& p) { p.min_new_tokens = 65; }),
         "more than max_new_tokens, 64"},
        {"ManyGreedyAnswers", with([](auto& p) { p.n = 2; }),
         "set a temperature"},
    }),
    [](const auto& test) { return test.param.name; });

TEST(Rules, RefuseIdsOutsideTheVocabulary) {
  const auto refuses = [](void (*change)(SampleParams&), const char* name) {
    try {
      (void)Rules(with(change), {}, 100);
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kData);
      EXPECT_THAT(error.text(),
                  HasSubstr(std::string(name) +
                            ": token id 100 is not in the vocabulary of 100"));
    }
  };
  refuses([](auto& p) { p.logit_bias = {"100:1"}; }, "logit_bias");
  refuses([](auto& p) { p.banned_ids = {100}; }, "banned_ids");
  refuses([](auto& p) { p.bad_words = {"1 100"}; }, "bad_words");
  EXPECT_THROW((void)Rules({}, {100}, 100), Error);
}

TEST(Rules, ChangeNothingUnlessAsked) {
  EXPECT_TRUE(Rules({}, {1}, 100).edits({2, 3, 3}, 1).empty());
}

}  // namespace
}  // namespace penstock::core
