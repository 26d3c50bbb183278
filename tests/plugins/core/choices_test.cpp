// core.choices: of texts, what may come next and when one is whole.
#include "core/choices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "penstock/keys.h"

namespace penstock::core {
namespace {

using ::testing::HasSubstr;

/// A token for each byte; "ab" is one of its own.
class Bytes final : public Vocabulary {
 public:
  [[nodiscard]] std::int64_t size() const override { return 257; }
  [[nodiscard]] std::string bytes(std::int64_t id) const override {
    return id == 256 ? "ab" : std::string(1, static_cast<char>(id));
  }
  [[nodiscard]] Tokens encode(std::string_view text) const override {
    Tokens out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text.substr(i, 2) == "ab") {
        out.push_back(256);
        ++i;
      } else {
        out.push_back(static_cast<unsigned char>(text[i]));
      }
    }
    return out;
  }
};

constexpr std::int64_t kEnd = 3;

struct Choosing {
  explicit Choosing(std::vector<std::string> texts, Tokens ends = {kEnd},
                    bool has_vocabulary = true)
      : rule({}) {
    set(facts, kEosIds, std::move(ends));
    if (has_vocabulary) {
      (void)context.share<Vocabulary>([] { return std::make_shared<Bytes>(); });
    }
    request.checked = {
        std::make_shared<Choices::Params>(Choices::Params{std::move(texts)})};
  }
  std::unique_ptr<RuledAnswer> begin() {
    rule.open(context);
    return rule.prepare(request)->begin();
  }
  std::map<std::string, std::shared_ptr<const void>> shared;
  Notes facts;
  StageContext context{.device = at::kCPU,
                       .model = "m",
                       .slots = 1,
                       .threads = 1,
                       .max_step_tokens = 0,
                       .facts = facts,
                       .shared = &shared};
  Request request;
  Choices rule;
};

Tokens next(RuledAnswer& answer, const Tokens& so_far) {
  return answer.look(so_far).allowed->ids();
}

TEST(Choices, AllowWhatGoesOnInOneOfTheTexts) {
  const auto answer = Choosing({"yes", "no", "yellow", "no"}).begin();
  EXPECT_EQ(next(*answer, {}), (Tokens{'n', 'y'}));
  EXPECT_EQ(next(*answer, {'n'}), Tokens{'o'});
  EXPECT_EQ(next(*answer, {'n', 'o'}), Tokens{}) << "it is whole";
  EXPECT_EQ(next(*answer, {'y', 'e'}), (Tokens{'l', 's'}));
  // Guesses are looked at and left again.
  EXPECT_EQ(next(*answer, {'y', 'e', 's'}), Tokens{});
  EXPECT_EQ(next(*answer, {'y', 'e', 'l'}), Tokens{'l'});
  EXPECT_EQ(next(*answer, {'x'}), Tokens{});
}

TEST(Choices, LetTheModelEndATextThatBeginsAnother) {
  const auto answer = Choosing({"to", "tom"}).begin();
  EXPECT_EQ(next(*answer, {'t', 'o'}), (Tokens{kEnd, 'm'}));
  EXPECT_EQ(next(*answer, {'t', 'o', kEnd}), Tokens{});
  EXPECT_EQ(next(*answer, {'t', 'o', 'm'}), Tokens{});
}

TEST(Choices, AreCutAsTheTokenizerCutsThem) {
  const auto answer = Choosing({"cab", "ca"}).begin();
  EXPECT_EQ(next(*answer, {'c'}), (Tokens{'a', 256}));
}

TEST(Choices, OfNoneAskNothing) {
  Choosing setting({});
  setting.rule.open(setting.context);
  EXPECT_EQ(setting.rule.prepare(setting.request), nullptr);
}

TEST(Choices, SayWhatIsWrong) {
  EXPECT_EQ(conflict({{"a", ""}}), "choices: text 1 is empty");
  EXPECT_EQ(conflict({{"\xFF"}}), "choices: text 0 is not UTF-8");
  EXPECT_THAT(conflict({std::vector<std::string>(10'001, "a")}),
              HasSubstr("10001 texts are too many; the most is 10000"));
  EXPECT_THAT(conflict({{std::string((1 << 20) + 1, 'a')}}),
              HasSubstr("1048577 bytes"));
  EXPECT_EQ(conflict({{"a", "a"}}), "");
  try {
    (void)Choosing({"to", "tom"}, {}).begin();
    FAIL() << "nothing could end the first";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("one of the texts begins another"));
  }
  try {
    (void)Choosing({"to"}, {}, false).begin();
    FAIL() << "there is no tokenizer";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("gemma.tokenize does"));
  }
}

}  // namespace
}  // namespace penstock::core
