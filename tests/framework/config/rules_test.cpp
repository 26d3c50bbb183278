// `decode` as a list: rules, and the decode stage behind them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/framework/config/fake_catalog.h"

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;

constexpr const char* kDecode = "{use: pick.best, temperature: 0.5}";

PipelineFile load(const std::string& decode,
                  const std::vector<Override>& over = {}) {
  static FakeCatalog catalog;
  const TempFile file(replaced(good_file(), kDecode, decode));
  return load_pipeline_file(file.path(), catalog, over);
}

std::string problem(const std::string& decode,
                    const std::vector<Override>& over = {}) {
  try {
    (void)load(decode, over);
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

const std::string& words(const StageConfig& rule) {
  return std::get<std::string>(rule.settings.at("words").value);
}

const std::string kTwo =
    "[{use: rule.words, words: a}, {use: rule.words, words: b}, "
    "{use: pick.best, temperature: 0.5}]";

TEST(Rules, StandBeforeTheDecodeStage) {
  const auto file = load(kTwo);
  ASSERT_EQ(file.rules.size(), 2);
  EXPECT_EQ(words(file.rules[0]), "a");
  EXPECT_EQ(words(file.rules[1]), "b");
  EXPECT_EQ(file.decode.spec->name, "pick.best");
  const auto stages = file.stages();
  ASSERT_EQ(stages.size(), 7);
  EXPECT_EQ(stages[3], file.rules.data());
  EXPECT_EQ(stages[5], &file.decode);
  EXPECT_TRUE(load("[{use: pick.best}]").rules.empty());
}

TEST(Rules, HaveTheirPlacesInAddresses) {
  const auto file = load(kTwo, {{"decode.1.words", "c", "--set"},
                                {"decode.top_k", "9", "--set"},
                                {"decode.2.max_new", "7", "--set"}});
  EXPECT_EQ(words(file.rules[0]), "a");
  EXPECT_EQ(words(file.rules[1]), "c");
  EXPECT_EQ(file.decode.settings.at("top_k").value,
            ParamValue(std::int64_t{9}));
  EXPECT_EQ(file.decode.settings.at("max_new").value,
            ParamValue(std::int64_t{7}));
  EXPECT_THAT(problem(kTwo, {{"decode.3.words", "c", "--set"}}),
              HasSubstr("decode has 3 stages; the first is decode.0"));
  EXPECT_THAT(problem(kDecode, {{"decode.1.words", "c", "--set"}}),
              HasSubstr("decode has 1 stage; the first is decode.0"));
}

TEST(Rules, TakeARequestsOptions) {
  const auto file = load(kTwo);
  const auto words_of = [](const std::shared_ptr<const void>& params) {
    return *static_cast<const std::string*>(params.get());
  };
  const auto set =
      check_options(file, {{"decode.1.words", RawScalar{.text = "z"}},
                           {"top_k", RawScalar{.text = "3"}}});
  ASSERT_EQ(set.size(), 7);
  EXPECT_EQ(words_of(set[3]), "a");
  EXPECT_EQ(words_of(set[4]), "z");
  try {
    (void)check_options(file, {{"words", RawScalar{.text = "z"}}});
    FAIL() << "which of two was not asked";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("write one of decode.0.words, decode.1.words"));
  }
}

TEST(Rules, AreWrittenByExplainAsTheyWereRead) {
  const std::string text = explain(load(kTwo));
  static FakeCatalog catalog;
  const TempFile file(text);
  const auto again = load_pipeline_file(file.path(), catalog);
  ASSERT_EQ(again.rules.size(), 2) << text;
  EXPECT_EQ(words(again.rules[1]), "b");
  EXPECT_EQ(std::get<double>(again.decode.settings.at("temperature").value),
            0.5);
}

TEST(Rules, MayBeOverriddenLater) {
  auto file = load(kTwo);
  override_params(file, {{"decode.0.words", "late", "--set"}});
  ASSERT_EQ(file.rules.size(), 2);
  EXPECT_EQ(words(file.rules[0]), "late");
  EXPECT_EQ(words(file.rules[1]), "b");
}

TEST(Rules, AreRefusedElsewhere) {
  EXPECT_THAT(
      problem("{use: rule.words}"),
      HasSubstr("rule.words is a rule; rules stand under decode, before "
                "its stage: decode: [{use: rule.words}, "));
  EXPECT_THAT(
      problem("[{use: pick.best}, {use: pick.best}]"),
      HasSubstr("pick.best is a decode stage; of the list under decode, "
                "all but the last are rules"));
  EXPECT_THAT(problem("[]"), HasSubstr("expected a decode stage"));
}

TEST(Rules, NeedADecodeThatTakesThem) {
  const std::string text = problem("[{use: rule.words}, {use: pick.seek}]");
  EXPECT_THAT(text, HasSubstr("pick.seek takes no rules; core.sample does"));
  EXPECT_THAT(text, HasSubstr(":8:21:"));
}

}  // namespace
}  // namespace penstock::testing
