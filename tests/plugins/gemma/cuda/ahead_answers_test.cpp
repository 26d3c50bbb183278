// The engine that runs a step ahead gives the whole answers of one that does
// not, whatever becomes of its guesses; and in the end they hold.
#include <gtest/gtest.h>

#include <iostream>

#include "tests/plugins/gemma/cuda/ahead_runs.h"

namespace penstock::gemma::cuda {
namespace {

using core::SampleParams;

class AheadAnswers : public OnOneThread {};

void print(const char* name, const Ran& ran) {
  std::cout << name << ": " << ran.steps << " steps, rows begun "
            << ran.counts.begun << ", taken " << ran.counts.taken << ", wrong "
            << ran.counts.wrong << "\n";
}

/// Runs both ways; what ran ahead, on a late device where that is asked for.
Ran expect_same(const char* name, const std::vector<AheadHost::Asked>& asked,
                How how = {}) {
  const Ran ahead = run(asked, how);
  how.runs_ahead = how.is_late = false;
  const Ran plain = run(asked, how);
  EXPECT_EQ(plain.texts, ahead.texts) << name;
  EXPECT_EQ(plain.steps, ahead.steps);
  EXPECT_EQ(plain.counts.begun, 0);
  print(name, ahead);
  return ahead;
}

/// The first step is the prompts', the second is asked for, six are guessed.
TEST_F(AheadAnswers, EveryGreedyGuessHolds) {
  const Ran ran =
      expect_same("greedy", {{prompt(0), greedy()}, {prompt(50), greedy()}});
  EXPECT_EQ(ran.steps, 9);
  EXPECT_EQ(ran.counts.begun, 2 * 6);
  EXPECT_EQ(ran.counts.taken, 2 * 6);
  EXPECT_EQ(ran.counts.wrong, 0);
}

TEST_F(AheadAnswers, EverySampledGuessHolds) {
  SampleParams flat = sampled(3);
  flat.temperature = 4;  // nearly every token is as good
  flat.top_p = 1;
  SampleParams sharp = sampled(4);
  sharp.temperature = 0.6;
  sharp.top_k = 5;
  sharp.min_p = 0.1;
  const Ran ran = expect_same(
      "sampled",
      {{prompt(0), sampled(1)}, {prompt(0), flat}, {prompt(0), sharp}});
  EXPECT_EQ(ran.counts.taken, 3 * 6);
  EXPECT_EQ(ran.counts.wrong, 0);
  EXPECT_EQ(ran.counts.begun, ran.counts.taken);
}

/// What the request changes of scores, with what it just drew.
TEST_F(AheadAnswers, EveryEditedGuessHolds) {
  SampleParams penalties = sampled(5);
  penalties.top_k = 30;
  penalties.repetition_penalty = 1.5;
  penalties.frequency_penalty = 0.5;
  penalties.presence_penalty = 0.3;
  SampleParams changed = greedy();
  changed.logit_bias = {"320:6", "321:-3"};
  changed.banned_ids = {17, 400};
  changed.presence_penalty = 4;
  SampleParams late_end = sampled(6);
  late_end.top_k = 40;
  late_end.ignore_eos = false;
  late_end.min_new_tokens = 5;
  const Ran ran = expect_same(
      "edited",
      {{prompt(0), penalties}, {prompt(7), changed}, {prompt(9), late_end}});
  EXPECT_EQ(ran.counts.wrong, 0);
  EXPECT_GE(ran.counts.taken, 2 * 6);
}

/// Rows that others leave behind go on; what joins runs beside what was
/// guessed.
TEST_F(AheadAnswers, RowsEndAndJoin) {
  const std::vector<AheadHost::Asked> asked{
      {prompt(0), greedy(14)},
      {prompt(10), sampled(1, 4)},
      {prompt(20), sampled(2, 7)},
      {.prompt = prompt(30), .params = greedy(6), .begin = 5}};
  const Ran ran = expect_same("ends and joins", asked);
  EXPECT_EQ(ran.counts.wrong, 0);
  // One joins: those that ran ahead are taken, but none is begun behind.
  EXPECT_GE(ran.counts.taken, 15);
  EXPECT_EQ(ran.counts.begun, ran.counts.taken);
}

/// The host takes another token for the second, the fourth and the sixth; what
/// ran ahead from them is run again, and what ran from its own holds.
TEST_F(AheadAnswers, AnotherTokenThanTheGuessedIsRun) {
  const Ran ran = expect_same(
      "overruled", {{.prompt = prompt(0), .params = greedy(), .replaced = 20}});
  EXPECT_EQ(ran.counts.wrong, 3);
  EXPECT_EQ(ran.counts.taken, 3);
}

/// All that core.sample can be asked for, at once.
std::vector<AheadHost::Asked> everything() {
  SampleParams forked = sampled(8, 6);
  forked.n = 2;
  SampleParams drafted = greedy(9);
  drafted.speculate = "ngram";
  drafted.draft_tokens = 3;
  SampleParams typical = sampled(9, 2);
  typical.typical_p = 0.7;
  SampleParams told = greedy(5);
  told.logprobs = 2;
  SampleParams told_prompt = sampled(3, 3);
  told_prompt.prompt_logprobs = 2;
  SampleParams unrepeated = sampled(4, 6);
  unrepeated.no_repeat_ngram_size = 2;
  Tokens again;
  for (int i = 0; i < 4; ++i) again.insert(again.end(), {310, 311, 312});
  return {{.prompt = prompt(0), .params = greedy(14)},
          {.prompt = prompt(2), .params = forked, .begin = 2},
          {.prompt = again, .params = drafted, .begin = 6},
          {.prompt = prompt(4), .params = typical, .begin = 7},
          {.prompt = prompt(1), .params = told, .begin = 8},
          {.prompt = prompt(6, 8), .params = told_prompt, .begin = 9},
          {.prompt = {2}, .params = unrepeated, .begin = 10}};
}

TEST_F(AheadAnswers, IsOverruledByWhateverTheHostDoes) {
  auto asked = everything();
  (void)expect_same("everything", asked);
  for (auto& each : asked) {
    each.replaced = 25;
    each.cut = 30;
  }
  // Nor is anything read before it is there.
  (void)expect_same("replaced and cut", asked, {.is_late = true});
}

/// Prompts that end at the end of a page, and a context that ends.
TEST_F(AheadAnswers, CrossesPagesAndStopsAtTheContext) {
  const Ran ran = expect_same(
      "pages", {{prompt(0, 61), greedy(8)}, {prompt(9, 119), greedy(50)}});
  EXPECT_EQ(ran.counts.wrong, 0);
  EXPECT_EQ(ran.counts.begun, ran.counts.taken);
}

TEST_F(AheadAnswers, InBf16AndWithTiles) {
  std::vector<AheadHost::Asked> asked;
  for (int i = 0; i < 10; ++i) {
    asked.push_back({prompt(i), i % 2 == 0 ? greedy(5) : sampled(i, 5)});
  }
  const Ran ran =
      expect_same("bf16", asked, {.type = NumberType::kBf16, .slots = 16});
  EXPECT_EQ(ran.counts.wrong, 0);
  EXPECT_EQ(ran.counts.taken, 10 * 3);
}

}  // namespace
}  // namespace penstock::gemma::cuda
