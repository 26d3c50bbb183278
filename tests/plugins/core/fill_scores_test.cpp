// fill_scores: what sequences asked for, the same bits in any company.
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/logsumexp.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "penstock/forward.h"

namespace penstock {
namespace {

/// The norms of sequences of scores.
at::Tensor norms(const at::Tensor& logits) {
  std::vector<Sequence> sequences(static_cast<std::size_t>(logits.size(0)));
  Step step;
  for (std::int64_t r = 0; r < logits.size(0); ++r) {
    Sequence& sequence = sequences[static_cast<std::size_t>(r)];
    sequence.want.norm = true;
    step.slices.push_back(
        {.sequence = &sequence, .count = 1, .begin = 0, .out = r, .outs = 1});
  }
  return fill_scores(logits, step).norm;
}

/// Scores without a pattern; each sequence has others.
at::Tensor scores(std::int64_t sequence, std::int64_t count) {
  const auto place = at::arange(count, at::kDouble);
  return ((place * (0.37 + 0.11 * static_cast<double>(sequence))).sin() * 3)
      .to(at::kFloat)
      .unsqueeze(0);
}

class ScoresNorm : public ::testing::TestWithParam<std::int64_t> {};

/// One sum over all scores differs in 6 of 72 of these sequences and threads.
TEST_P(ScoresNorm, HasTheSameBitsWithOtherRowsAndThreads) {
  constexpr std::int64_t kRows = 24;
  const int before = at::get_num_threads();
  std::vector<at::Tensor> sequences;
  std::vector<float> wanted;
  at::set_num_threads(1);
  for (std::int64_t r = 0; r < kRows; ++r) {
    sequences.push_back(scores(r, GetParam()));
    wanted.push_back(norms(sequences.back()).item<float>());
    const auto truth =
        sequences.back().to(at::kDouble).logsumexp(1).item<double>();
    EXPECT_NEAR(wanted.back(), truth, 1e-6 * truth);
  }
  for (const int threads : {2, 3, 4}) {
    at::set_num_threads(threads);
    const auto together = norms(at::cat(sequences));
    for (std::size_t r = 0; r < sequences.size(); ++r) {
      EXPECT_EQ(norms(sequences[r]).item<float>(), wanted[r]) << threads;
      EXPECT_EQ(together[static_cast<std::int64_t>(r)].item<float>(), wanted[r])
          << threads;
    }
  }
  at::set_num_threads(before);
}

/// Vocabularies: Gemma's, one that is no whole number of blocks, one of less.
INSTANTIATE_TEST_SUITE_P(Vocabularies, ScoresNorm,
                         ::testing::Values(262144, 262208, 576));

TEST(Norm, OfBannedTokensIsFiniteAndOfANanIsNan) {
  auto logits = scores(0, 5000);
  logits.narrow(1, 0, 4500).fill_(-std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isfinite(norms(logits).item<float>()));
  logits.narrow(1, 3, 1).fill_(std::numeric_limits<float>::quiet_NaN());
  EXPECT_TRUE(std::isnan(norms(logits).item<float>()));
}

TEST(FillScores, GivesNothingOfTokensThatAreNotAllowed) {
  constexpr float kLeast = -std::numeric_limits<float>::infinity();
  const auto logits = at::cat({scores(0, 100), scores(1, 100), scores(2, 100)});
  const auto before = logits.clone();
  Sequence free;
  Sequence ruled;
  free.tokens = {1};
  ruled.tokens = {1};
  ruled.draft = {2};
  free.want.top = ruled.want.top = 4;
  free.want.norm = ruled.want.norm = true;
  free.want.full = ruled.want.full = true;
  ruled.want.follow = true;
  ruled.want.ids = {7, 8};
  ruled.want.allowed = {std::make_shared<const TokenSet>(Tokens{8, 50}),
                        std::make_shared<const TokenSet>(Tokens{99})};
  Step step;
  step.slices = {
      {.sequence = &free, .count = 1, .begin = 0, .out = 0, .outs = 1},
      {.sequence = &ruled, .count = 2, .begin = 0, .out = 1, .outs = 2}};
  const Scores got = fill_scores(logits, step);
  EXPECT_TRUE(logits.equal(before)) << "the model's scores are not touched";
  EXPECT_TRUE(got.full[0].equal(logits[0]));
  EXPECT_EQ(got.full[1].isfinite().sum().item<std::int64_t>(), 2);
  EXPECT_EQ(got.ids[1][2].item<std::int64_t>(), -1);
  EXPECT_EQ(got.values[1][2].item<float>(), kLeast);
  EXPECT_EQ(got.ids[2][0].item<std::int64_t>(), 99);
  EXPECT_EQ(got.values[2][0].item<float>(), logits[2][99].item<float>());
  EXPECT_EQ(got.norm[2].item<float>(), logits[2][99].item<float>());
  EXPECT_EQ(got.follow[1].item<float>(), kLeast) << "2 is not allowed";
  EXPECT_EQ(got.at[1][0].item<float>(), kLeast);
  EXPECT_EQ(got.at[1][1].item<float>(), logits[1][8].item<float>());
}

}  // namespace
}  // namespace penstock
