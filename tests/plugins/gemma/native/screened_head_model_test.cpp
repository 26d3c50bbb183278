// The screened head on hidden states of the real model: exactly the best of all
// scores, at every instruction set. All 10,010 positions where PENSTOCK_FULL is
// set.
#include "lib/kernels/screened_head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <numeric>

#include "gemma/checkpoint.h"
#include "penstock/models.h"
#include "tests/plugins/gemma/support.h"

namespace penstock::gemma::native {
namespace {

using kernels::Best;
using kernels::Kernels;
using kernels::ScreenedHead;

bool is_full() { return std::getenv("PENSTOCK_FULL") != nullptr; }

/// [positions, hidden] of prose, one after the other.
std::vector<float> hidden_states(const std::string& model,
                                 std::int64_t positions, std::int64_t width) {
  Driven driven(model, {.engine = "native", .dtype = "int8"});
  Want want;
  want.from = 0;
  want.hidden = true;
  std::vector<float> out;
  const auto golden = golden_json("gemma/perplexity.json");
  for (const auto& window : golden["windows"]) {
    const auto ids = window["ids"].get<Tokens>();
    const auto hidden = driven.run(ids, want, 512).hidden.contiguous();
    const auto* first = hidden.const_data_ptr<float>();
    out.insert(out.end(), first, first + hidden.numel());
    if (std::ssize(out) >= positions * width) break;
  }
  out.resize(std::min(out.size(), static_cast<std::size_t>(positions * width)));
  return out;
}

/// The k best of all scores; of equal ones the lower id first.
Best best_of(const float* scores, std::int64_t vocab, std::int64_t k) {
  std::vector<std::int64_t> ids(static_cast<std::size_t>(vocab));
  std::iota(ids.begin(), ids.end(), 0);
  std::partial_sort(ids.begin(), ids.begin() + k, ids.end(),
                    [&](std::int64_t a, std::int64_t b) {
                      return scores[a] != scores[b] ? scores[a] > scores[b]
                                                    : a < b;
                    });
  ids.resize(static_cast<std::size_t>(k));
  Best best;
  for (const std::int64_t id : ids) best.scores.push_back(scores[id]);
  best.ids = std::move(ids);
  return best;
}

/// What may come inside a text: all but every `without`-th token.
TokenSet most_of(std::int64_t vocab, std::int64_t without) {
  Tokens ids;
  for (std::int64_t id = 0; id < vocab; ++id) {
    if (id % without != 0) ids.push_back(id);
  }
  return TokenSet(std::move(ids));
}

/// Half the rows may say anything; the model's favourites are not allowed to
/// the others.
void check_masked(ScreenedHead& head, const float* hidden, std::int64_t rows,
                  const std::vector<float>& all, std::int64_t vocab,
                  std::string_view level) {
  constexpr std::int64_t kBest = 8;
  std::vector<TokenSet> sets;
  std::vector<const TokenSet*> allowed;
  sets.reserve(static_cast<std::size_t>(rows));
  for (std::int64_t r = 0; r < rows; ++r) {
    sets.push_back(most_of(vocab, 2 + r));
    allowed.push_back(r % 2 == 0 ? nullptr : &sets.back());
  }
  const auto found = head.best(hidden, rows, kBest, allowed);
  for (std::int64_t r = 0; r < rows; ++r) {
    std::vector<float> scores(all.begin() + r * vocab,
                              all.begin() + (r + 1) * vocab);
    const auto row = static_cast<std::size_t>(r);
    for (std::int64_t id = 0; id < vocab; ++id) {
      if (allowed[row] == nullptr || allowed[row]->contains(id)) continue;
      scores[static_cast<std::size_t>(id)] =
          -std::numeric_limits<float>::infinity();
    }
    const Best wanted = best_of(scores.data(), vocab, kBest);
    ASSERT_EQ(found[row].ids, wanted.ids) << level << ", masked row " << r;
    ASSERT_EQ(found[row].scores, wanted.scores) << level;
  }
}

TEST(RealHead, GivesExactlyTheBestOfAllScores) {
  constexpr std::int64_t kRows = 16;
  constexpr std::int64_t kBest = 64;
  const std::string path = resolve_model("gemma-3-270m");
  const Checkpoint model(path);
  const Config& config = model.config();
  const auto& embedding = model.at("token_embd", {config.vocab, config.hidden});
  const auto norm = model.norm("output_norm", config.hidden);
  const auto states =
      hidden_states(path, is_full() ? 1 << 20 : 512, config.hidden);
  std::vector<float> all(static_cast<std::size_t>(kRows * config.vocab));
  for (const std::string_view level : kernels::names()) {
    const Kernels* table = kernels::find(level);
    if (table == nullptr) {
      std::cout << "not run: this processor has no " << level << "\n";
      continue;
    }
    ScreenedHead head(embedding, norm, *table, /*is_mapped=*/true);
    std::int64_t positions = std::ssize(states) / config.hidden;
    if (table != &kernels::best()) {
      positions = std::min<std::int64_t>(positions, is_full() ? 300 : 32);
    }
    double survivors = 0;
    for (std::int64_t at = 0; at < positions; at += kRows) {
      const float* hidden = states.data() + at * config.hidden;
      const std::int64_t rows = std::min(kRows, positions - at);
      head.all(hidden, rows, all.data());
      const auto greedy = head.best(hidden, rows, 1);
      survivors += static_cast<double>(head.survivors());
      if (at == 0) check_masked(head, hidden, rows, all, config.vocab, level);
      const auto found = head.best(hidden, rows, kBest);
      for (std::int64_t r = 0; r < rows; ++r) {
        const auto row = static_cast<std::size_t>(r);
        const Best wanted =
            best_of(all.data() + r * config.vocab, config.vocab, kBest);
        ASSERT_EQ(found[row].ids, wanted.ids) << level << ", " << at + r;
        ASSERT_EQ(found[row].scores, wanted.scores) << level << ", " << at + r;
        ASSERT_EQ(greedy[row].ids[0], wanted.ids[0]) << level << ", " << at + r;
      }
    }
    std::cout << level << ": " << positions << " positions, "
              << survivors / static_cast<double>(positions)
              << " exact scores a position for the best one\n";
  }
}

}  // namespace
}  // namespace penstock::gemma::native
