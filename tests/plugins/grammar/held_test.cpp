// What the rules of a pipeline share.
#include "grammar/held.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "penstock/error.h"
#include "penstock/keys.h"
#include "tests/plugins/grammar/support.h"

namespace penstock::grammar {
namespace {

using ::testing::HasSubstr;

struct Opening {
  Notes facts;
  std::map<std::string, std::shared_ptr<const void>> shared;
  StageContext context{.model = "m", .facts = facts, .shared = &shared};

  void share_vocabulary() {
    (void)context.share<Vocabulary>(
        [] { return std::make_shared<const SmallVocabulary>(); });
  }
  std::string problem() {
    try {
      (void)shared_compiler(context, {}, kSharedBytes);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kUsage);
      return error.text();
    }
    return "";
  }
};

TEST(SharedCompiler, IsOneForRulesWhoseAnswersEndAlike) {
  Opening opening;
  opening.share_vocabulary();
  set(opening.facts, kEosIds, Tokens{kEnd});
  const auto get = [&](const Tokens& more) {
    return shared_compiler(opening.context, more, kSharedBytes);
  };
  const auto one = get({});
  EXPECT_EQ(get({}), one);
  EXPECT_EQ(get({kEnd}), one) << "an id that is there already";
  const auto other = get({'.'});
  EXPECT_NE(other, one);
  EXPECT_EQ(get({'.', kEnd}), other);
}

TEST(SharedCompiler, NeedsAVocabularyAndAnEnd) {
  Opening opening;
  EXPECT_THAT(opening.problem(), HasSubstr("shares the vocabulary of the model "
                                           "'m'; gemma.tokenize does"));
  opening.share_vocabulary();
  EXPECT_THAT(opening.problem(), HasSubstr("no token that ends an answer"));
}

}  // namespace
}  // namespace penstock::grammar
