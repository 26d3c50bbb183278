// fill_scores: what sequences asked for, the same bits in any company.
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
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

}  // namespace
}  // namespace penstock
