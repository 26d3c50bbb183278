// Work not done: guessed tokens and shared prefixes change the time an answer
// takes and nothing else.
#include <gtest/gtest.h>

#include <tuple>

#include "tests/plugins/gemma/options.h"
#include "tests/plugins/gemma/support.h"

namespace penstock::gemma {
namespace {

/// Each kind of answer, to a prompt that repeats itself.
std::vector<Request> requests() {
  const std::string prompt =
      "the teacher said that the teacher said that the teacher said";
  const std::vector<Options> all{
      {},
      {{"temperature", word("0.8")}, {"seed", word("7")}},
      {{"temperature", word("0.8")}, {"top_k", word("20")}},
      {{"temperature", word("0.6")}, {"n", word("3")}, {"top_k", word("40")}},
      {{"repetition_penalty", word("1.2")}},
      {{"frequency_penalty", word("0.4")}, {"min_new_tokens", word("40")}},
      {{"no_repeat_ngram_size", word("3")}},
      {{"logprobs", word("2")}},
      {{"prompt_logprobs", word("1")}},
      {{"max_new_tokens", word("3")}},
      {{"stop", RawScalar{.text = "th", .quoted = true}}},
  };
  std::vector<Request> out;
  for (const Options& options : all) {
    Request& made = out.emplace_back();
    made.inputs["text"] = prompt;
    made.options = options;
  }
  return out;
}

RunOptions how(const std::string& engine, std::int64_t rows) {
  RunOptions out;
  out.model = tiny("tiny.gguf");
  out.engine = engine;
  out.max_sequences = rows;
  return out;
}

/// Equal in all that a user sees.
void expect_same(const std::vector<std::shared_ptr<Keep>>& got,
                 const std::vector<std::shared_ptr<Keep>>& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    const Report& a = got[i]->report;
    const Report& b = wanted[i]->report;
    ASSERT_FALSE(a.error) << i << ": " << a.error->what();
    ASSERT_FALSE(b.error) << i << ": " << b.error->what();
    EXPECT_EQ(got[i]->texts, wanted[i]->texts) << i;
    ASSERT_EQ(a.branches.size(), b.branches.size());
    for (std::size_t branch = 0; branch < a.branches.size(); ++branch) {
      EXPECT_EQ(a.branches[branch].token_ids, b.branches[branch].token_ids)
          << i << ", branch " << branch;
      EXPECT_EQ(a.branches[branch].finish_reason,
                b.branches[branch].finish_reason);
    }
    EXPECT_EQ(got[i]->json.size(), wanted[i]->json.size()) << i;
  }
}

class Shortcuts : public ::testing::TestWithParam<
                      std::tuple<std::string, std::int64_t, bool>> {
 protected:
  RunOptions plain_ = how(std::get<0>(GetParam()), std::get<1>(GetParam()));
  void SetUp() override { plain_.is_padded = std::get<2>(GetParam()); }
};

TEST_P(Shortcuts, GuessesChangeNothing) {
  const auto wanted = run_requests(requests(), plain_);
  std::int64_t cuts = 0;
  for (const char* const most : {"1", "8", "40"}) {
    RunOptions guessing = plain_;
    guessing.more = {{"decode.speculate", "ngram", "test"},
                     {"decode.draft_tokens", most, "test"}};
    const auto got = run_requests(requests(), guessing);
    expect_same(got, wanted);
    cuts += got.front()->stats.truncates;
  }
  EXPECT_GT(cuts, 0) << "no guess was ever wrong";
}

/// Tests for core.continuous alone.
class Prefixes : public Shortcuts {};

TEST_P(Prefixes, SharedChangeNothing) {
  const auto wanted = run_requests(requests(), plain_);
  RunOptions sharing = plain_;
  sharing.more = {{"batch.prefix_cache", "true", "test"}};
  const auto got = run_requests(requests(), sharing);
  expect_same(got, wanted);
  EXPECT_GT(got.front()->stats.reused, 50);
}

TEST_P(Prefixes, StepsByTimeChangeNothing) {
  const auto wanted = run_requests(requests(), plain_);
  for (const char* const ms : {"0.001", "3"}) {
    RunOptions timed = plain_;
    timed.more = {{"batch.step_ms", ms, "test"},
                  {"batch.prefix_cache", "true", "test"},
                  {"batch.kept_mib", "1", "test"}};
    expect_same(run_requests(requests(), timed), wanted);
  }
}

INSTANTIATE_TEST_SUITE_P(Ways, Shortcuts,
                         ::testing::Values(std::tuple{"native", 4, false},
                                           std::tuple{"native", 16, false},
                                           std::tuple{"reference", 4, false},
                                           std::tuple{"native", 4, true},
                                           std::tuple{"reference", 4, true}));
INSTANTIATE_TEST_SUITE_P(Ways, Prefixes,
                         ::testing::Values(std::tuple{"native", 4, false},
                                           std::tuple{"native", 16, false},
                                           std::tuple{"reference", 4, false}));

TEST(Guesses, SaveSteps) {
  // A model that repeats itself: greedy text of a tiny one does.
  RunOptions plain = how("native", 1);
  plain.max_new_tokens = 200;
  const auto ask = [](const RunOptions& options) {
    Request made;
    made.inputs["text"] = "the teacher";
    made.options = {{"ignore_eos", word("true")}};
    return run_requests({made}, options).front();
  };
  const auto wanted = ask(plain);
  plain.more = {{"decode.speculate", "ngram", "test"}};
  const auto got = ask(plain);
  EXPECT_EQ(got->report.token_ids, wanted->report.token_ids);
  EXPECT_EQ(got->report.token_ids.size(), 200);
  std::cout << got->stats.steps << " steps instead of " << wanted->stats.steps
            << "\n";
  EXPECT_LT(got->stats.steps, wanted->stats.steps);
}

}  // namespace
}  // namespace penstock::gemma
