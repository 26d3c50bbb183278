// Whole pipelines on a tiny model: penalties, several answers, stop strings and
// log-probabilities, alone and beside others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "gemma/tokenizer.h"
#include "tests/plugins/gemma/options.h"
#include "tests/plugins/gemma/support.h"

namespace penstock::gemma {
namespace {

using Json = nlohmann::json;
Raw quoted(std::vector<std::string> texts) {
  std::vector<RawScalar> list;
  list.reserve(texts.size());
  for (std::string& text : texts) {
    list.push_back({.text = std::move(text), .quoted = true});
  }
  return list;
}

Request request(const std::string& text, Options options) {
  Request made;
  made.inputs["text"] = text;
  made.options = std::move(options);
  return made;
}

RunOptions how() {
  RunOptions out;
  out.model = tiny("tiny.gguf");
  out.max_new_tokens = 24;
  return out;
}

/// A request of each kind, so that in one step every row wants something else.
std::vector<Request> mixed() {
  const Options sampled{{"temperature", word("0.9")}, {"seed", word("5")}};
  const auto with = [](Options base, const Options& more) {
    base.insert(more.begin(), more.end());
    return base;
  };
  return {
      request("the teacher", {}),
      request("a", sampled),
      request("b c", with(sampled, {{"top_k", word("40")}})),
      request("b c", with(sampled, {{"typical_p", word("0.7")},
                                    {"frequency_penalty", word("1.5")}})),
      request("I was", {{"repetition_penalty", word("1.4")}}),
      request("I was",
              {{"no_repeat_ngram_size", word("2")}, {"logprobs", word("3")}}),
      request("the teacher", with(sampled, {{"n", word("2")}})),
      request("the teacher", {{"prompt_logprobs", word("2")}}),
  };
}

TEST(Answers, DoNotDependOnTheirNeighbours) {
  RunOptions wide = how();
  wide.max_sequences = 16;
  const auto together = run_requests(mixed(), wide);
  auto requests = mixed();
  for (std::size_t i = 0; i < requests.size(); ++i) {
    for (const std::int64_t chunk : {512, 3}) {
      RunOptions alone = how();
      alone.chunk = chunk;
      std::vector<Request> one{requests[i]};
      const auto got = run_requests(std::move(one), alone).front();
      ASSERT_FALSE(got->report.error) << got->report.error->what();
      ASSERT_FALSE(together[i]->report.error);
      ASSERT_EQ(got->report.branches.size(),
                together[i]->report.branches.size());
      for (std::size_t b = 0; b < got->report.branches.size(); ++b) {
        EXPECT_EQ(got->report.branches[b].token_ids,
                  together[i]->report.branches[b].token_ids)
            << i << " " << b;
      }
    }
  }
  EXPECT_EQ(together[7]->report.token_ids, together[0]->report.token_ids);
}

TEST(Answers, ShareTheirPrompt) {
  RunOptions options = how();
  const std::string prompt(200, 'x');
  const auto got = run_requests({request(prompt, {{"temperature", word("1.5")},
                                                  {"n", word("4")},
                                                  {"ignore_eos", word("true")},
                                                  {"seed", word("3")}})},
                                options)
                       .front();
  ASSERT_EQ(got->report.branches.size(), 4);
  EXPECT_EQ(got->texts.size(), 4);
  for (std::size_t i = 1; i < 4; ++i) {
    EXPECT_EQ(got->report.branches[i].token_ids.size(), 24);
    EXPECT_NE(got->report.branches[i].token_ids,
              got->report.branches[0].token_ids);
  }
  // The prompt once; then a token a branch and step.
  EXPECT_EQ(got->stats.tokens_in, got->report.prompt_tokens + 4L * 23);
  EXPECT_EQ(got->stats.copies, 3);
}

TEST(Answers, AreRefusedWhereTheyDoNotFit) {
  const auto got = run_requests(
      {request("a", {{"temperature", word("1")}, {"n", word("9")}})}, how());
  ASSERT_TRUE(got.front()->report.error);
  EXPECT_THAT(
      got.front()->report.error->text(),
      ::testing::HasSubstr("9 branches at once, but max_sequences is 8"));
}

TEST(Stop, EndsTheAnswerWithoutItsText) {
  const auto whole = run_requests({request("the teacher", {})}, how()).front();
  ASSERT_GE(whole->text.size(), 12);
  // Across tokens, whatever they are.
  const std::string stop = whole->text.substr(5, 6);
  const auto cut =
      run_requests({request("the teacher", {{"stop", quoted({stop})}})}, how())
          .front();
  EXPECT_EQ(cut->text, whole->text.substr(0, whole->text.find(stop)));
  EXPECT_EQ(cut->report.finish_reason, "stop");
  const auto& ids = cut->report.token_ids;
  EXPECT_LT(ids.size(), whole->report.token_ids.size());
  EXPECT_TRUE(
      std::equal(ids.begin(), ids.end(), whole->report.token_ids.begin()));
}

TEST(Stop, FoundByTheLastTokenIsNoLength) {
  Options options{{"max_new_tokens", word("6")}};
  const auto whole =
      run_requests({request("the teacher", options)}, how()).front();
  EXPECT_EQ(whole->report.finish_reason, "length");
  options["stop"] = quoted({whole->text});
  const auto cut =
      run_requests({request("the teacher", options)}, how()).front();
  EXPECT_EQ(cut->text, "");
  EXPECT_EQ(cut->report.finish_reason, "stop");
}

/// The list of a key, of all JSON pieces.
Json joined(const Keep& kept, const std::string& key) {
  Json all = Json::array();
  for (const std::string& piece : kept.json) {
    const Json parsed = Json::parse(piece);
    if (!parsed.contains(key)) continue;
    for (const Json& item : parsed.at(key).at("content")) all.push_back(item);
  }
  return all;
}

TEST(Logprobs, AreThoseOfTheModel) {
  const std::string text = "the teacher said that";
  const auto got =
      run_requests({request(text, {{"logprobs", word("2")},
                                   {"prompt_logprobs", word("1")},
                                   {"max_new_tokens", word("4")},
                                   // Changes what is picked, not these.
                                   {"repetition_penalty", word("1.5")}})},
                   how())
          .front();
  ASSERT_FALSE(got->report.error);
  const Json answer = joined(*got, "logprobs");
  const Json prompt = joined(*got, "prompt_logprobs");
  ASSERT_EQ(answer.size(), got->report.token_ids.size());
  ASSERT_EQ(std::ssize(prompt), got->report.prompt_tokens);
  EXPECT_EQ(prompt[0]["token"], "<bos>");
  EXPECT_TRUE(prompt[0]["logprob"].is_null());

  // The expected log-probabilities, from every score of the whole sequence.
  const auto tokenizer = Tokenizer::open(tiny("tiny.gguf"));
  Tokens tokens = tokenizer->encode(text);
  tokens.insert(tokens.begin(), tokenizer->bos());
  const auto length = static_cast<std::int64_t>(tokens.size());
  for (const std::int64_t id : got->report.token_ids) tokens.push_back(id);
  Driven driven(tiny("tiny.gguf"), {.dtype = "fp32"});
  Want want;
  want.from = 0;
  want.norm = want.follow = true;
  want.top = 2;
  const Scores scores = driven.run(tokens, want);
  for (std::int64_t i = 0; i + 1 < std::ssize(tokens); ++i) {
    const Json& entry = i + 1 < length
                            ? prompt[static_cast<std::size_t>(i + 1)]
                            : answer[static_cast<std::size_t>(i + 1 - length)];
    const auto norm = scores.norm[i].item<float>();
    EXPECT_NEAR(entry["logprob"], scores.follow[i].item<float>() - norm, 1e-5);
    EXPECT_EQ(entry["top_logprobs"].size(), i + 1 < length ? 1 : 2);
    EXPECT_NEAR(entry["top_logprobs"][0]["logprob"],
                scores.values[i][0].item<float>() - norm, 1e-5);
  }
}

TEST(TopK, MayBeLargerThanTheVocabulary) {
  const auto got = run_requests(
      {request("a", {{"temperature", word("1")}, {"top_k", word("900")}}),
       request("a", {{"temperature", word("1")}})},
      how());
  ASSERT_FALSE(got[0]->report.error) << got[0]->report.error->what();
  EXPECT_EQ(got[0]->report.token_ids, got[1]->report.token_ids);
}

TEST(MinNewTokens, HoldsBackTheEnd) {
  // A bias makes the end certain; it may not come early.
  const auto got =
      run_requests({request("a", {{"logit_bias", quoted({"1:1000"})},
                                  {"min_new_tokens", word("5")}})},
                   how())
          .front();
  EXPECT_EQ(got->report.token_ids.size(), 6);
  EXPECT_EQ(got->report.token_ids.back(), 1);
  EXPECT_EQ(got->report.finish_reason, "stop");
}

}  // namespace
}  // namespace penstock::gemma
