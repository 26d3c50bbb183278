// gemma.tokenize on prompts that are too long: refused with the numbers, or
// cut where it was asked for.
#include "gemma/tokenize.h"

#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "penstock/keys.h"
#include "penstock/text.h"
#include "penstock/too_long.h"
#include "tests/plugins/gemma/support.h"

namespace penstock::gemma {
namespace {

using ::testing::HasSubstr;

/// The stage with its model, and what it makes of one text.
class Stage {
 public:
  explicit Stage(const std::string& model = tiny("tiny.gguf"))
      : stage_(Tokenize::Params{}) {
    Notes facts;
    StageContext context{.device = at::kCPU,
                         .model = model,
                         .slots = 0,
                         .threads = 1,
                         .max_step_tokens = 0,
                         .facts = facts};
    stage_.open(context);
  }
  Item run(const std::string& text, const Tokenize::Params& params,
           Item in = {}) {
    return run("text", Value(text), params, std::move(in));
  }
  Item run(const std::string& name, Value value, const Tokenize::Params& params,
           Item in = {}) {
    class Sink final : public ItemSink {
     public:
      void push(Item item) override { found = std::move(item); }
      Item found;
    } sink;
    Request request;
    request.inputs[name] = std::move(value);
    request.checked.push_back(std::make_shared<Tokenize::Params>(params));
    stage_.preprocess(request, std::move(in), sink);
    return std::move(sink.found);
  }

 private:
  Tokenize stage_;
};

std::string digits(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += static_cast<char>('0' + i % 10);
  return text;
}

/// A stage before it may have made another text of the request's.
TEST(Tokenize, TakesTheTextThatAStageBeforeMade) {
  Stage stage;
  for (const bool chat : {false, true}) {
    const Tokenize::Params params{.chat = chat};
    Item made;
    set(made.notes, kText, "made");
    const Tokens wanted = stage.run("made", params).tokens;
    EXPECT_EQ(stage.run("<b>raw</b>", params, std::move(made)).tokens, wanted);
    EXPECT_NE(stage.run("<b>raw</b>", params).tokens, wanted);
  }
}

TEST(Tokenize, TakesTokenIdsAsTheyAre) {
  Stage stage;
  const Tokens wanted{5, 2, 7};
  for (const bool chat : {false, true}) {
    const Tokenize::Params params{.chat = chat};
    EXPECT_EQ(stage.run("token_ids", Json{"[5, 2, 7]"}, params).tokens, wanted);
    EXPECT_EQ(stage.run("token_ids", std::string("[5,2,7]"), params).tokens,
              wanted);
  }
  const Tensors tensors{{"token_ids", at::tensor({5, 2, 7}, at::kInt)}};
  EXPECT_EQ(stage.run("token_ids", tensors, {}).tokens, wanted);
}

TEST(Tokenize, RefusesWhatAreNoTokenIds) {
  Stage stage;
  const auto words = [&](Value value) -> std::string {
    try {
      (void)stage.run("token_ids", std::move(value), {});
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kData);
      return error.what();
    }
    return "not refused";
  };
  EXPECT_THAT(words(Json{"[2, 99999999]"}),
              HasSubstr("token_ids[1]: 99999999 is not in the vocabulary of"));
  EXPECT_THAT(words(Json{"[-1]"}), HasSubstr("token_ids[0]: -1 is not in"));
  EXPECT_THAT(words(Json{"[2, 9223372036854775808]"}),
              HasSubstr("[1]: the number 9223372036854775808 is too large"));
  EXPECT_THAT(words(Json{"[]"}), HasSubstr("nothing to continue"));
  EXPECT_THAT(words(Json{"[2.5]"}), HasSubstr("expected an integer"));
  EXPECT_THAT(words(Json{"7"}), HasSubstr("expected a list"));
  EXPECT_THAT(words(Media{}), HasSubstr("expected a list of integers"));
  EXPECT_THAT(words(Tensors{{"ids", at::tensor({2}, at::kLong)}}),
              HasSubstr("expected one tensor 'token_ids'"));
  EXPECT_THAT(words(Tensors{{"token_ids", at::tensor({2.0})}}),
              HasSubstr("of integers"));
}

struct TokenizeCase {
  std::string name;
  std::string truncate;
  bool add_bos = true;
  std::vector<std::size_t> kept;  ///< places in the whole, BOS not counted
};
void PrintTo(const TokenizeCase& c, std::ostream* os) { *os << c.name; }

class Truncate : public ::testing::TestWithParam<TokenizeCase> {};

TEST_P(Truncate, KeepsWhatWasAskedFor) {
  const auto& c = GetParam();
  Stage stage;
  const Tokens whole =
      stage.run(digits(30), {.add_bos = false, .max_tokens = 100}).tokens;
  ASSERT_EQ(whole.size(), 30);
  const Item got = stage.run(
      digits(30),
      {.add_bos = c.add_bos, .truncate = c.truncate, .max_tokens = 7});
  Tokens wanted;
  if (c.add_bos) wanted.push_back(2);
  for (const std::size_t at : c.kept) wanted.push_back(whole[at]);
  EXPECT_EQ(got.tokens, wanted);
  EXPECT_EQ(std::get<std::int64_t>(got.notes.at("truncated")),
            c.add_bos ? 24 : 23);
}

INSTANTIATE_TEST_SUITE_P(
    Ends, Truncate,
    ::testing::ValuesIn<TokenizeCase>({
        {"Left", "left", true, {24, 25, 26, 27, 28, 29}},
        {"Right", "right", true, {0, 1, 2, 3, 4, 5}},
        {"Middle", "middle", true, {0, 1, 2, 27, 28, 29}},
        {"LeftAlone", "left", false, {23, 24, 25, 26, 27, 28, 29}},
        {"MiddleAlone", "middle", false, {0, 1, 2, 26, 27, 28, 29}},
    }),
    [](const auto& test) { return test.param.name; });

TEST(Tokenize, RefusesMoreThanTheContextWithTheNumbers) {
  Stage stage;
  const auto error_of = [&](const std::string& text) -> std::string {
    try {
      (void)stage.run(text, {});
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kData);
      EXPECT_TRUE(is_too_long(error));
      return error.what();
    }
    return "not refused";
  };
  EXPECT_EQ(stage.run(digits(510), {}).tokens.size(), 511);
  EXPECT_THAT(error_of(digits(511)),
              HasSubstr("has 512 tokens, the most is 511"));
  EXPECT_THAT(error_of(digits(511)), HasSubstr("preprocess.truncate="));
  EXPECT_THAT(error_of(digits(5000)),
              HasSubstr("has 5000 bytes; the most this model takes is 4096"));
}

/// `tokenizers` is the truth: a raw text is written as a template writes.
TEST(Tokenize, TakesControlWordsOfARawTextForControlTokens) {
  Stage stage;
  const auto golden = golden_json("variants/variants.json");
  for (const auto& each : golden["control_words"]) {
    EXPECT_EQ(stage.run(each["text"], {}).tokens, each["ids"].get<Tokens>())
        << each["text"];
  }
}

/// The file says that texts begin without <bos> and with a space.
TEST(Tokenize, BeginsATextAsTheFileSays) {
  Stage stage(tiny("scaled.gguf"));
  const auto golden = golden_json("variants/variants.json");
  for (const auto& each : golden["spaced"]) {
    const auto ids = each["ids"].get<Tokens>();
    EXPECT_EQ(stage.run(each["text"], {}).tokens, ids) << each["text"];
    Tokens with_bos = ids;
    with_bos.insert(with_bos.begin(), 2);
    const std::string text = each["text"];
    EXPECT_EQ(stage.run("<bos>" + text, {}).tokens, with_bos) << text;
  }
  EXPECT_THROW((void)stage.run("", {}), Error);
}

/// Characters of three bytes, none of which may be cut apart.
TEST(Tokenize, CutsTextBeyondAnyLengthBetweenCharacters) {
  Stage stage;
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "\u20AC";
  for (const std::string end : {"left", "middle", "right"}) {
    const Item got = stage.run("a" + text + "z", {.truncate = end});
    EXPECT_EQ(got.tokens.size(), 511) << end;
    EXPECT_GE(std::get<std::int64_t>(got.notes.at("truncated_bytes")),
              9002 - 4096);
    const auto a = stage.run("a", {}).tokens.back();
    const auto z = stage.run("z", {}).tokens.back();
    EXPECT_EQ(got.tokens[1] == a, end != "left");
    EXPECT_EQ(got.tokens.back() == z, end != "right");
  }
}

}  // namespace
}  // namespace penstock::gemma
