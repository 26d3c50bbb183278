// The kernel `draw` against core.sample's own sampler: the same scores, edits
// and random number must give the same token.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <random>

#include "core/edits.h"
#include "core/sampler.h"
#include "penstock/error.h"
#include "penstock/random.h"
#include "tests/plugins/gemma/cuda/support.h"

namespace penstock::gemma::cuda {
namespace {

constexpr float kLeast = -std::numeric_limits<float>::infinity();
constexpr int kSingle = 8;  ///< places of single scores of a row

/// A row of answers, how it is drawn from, and what the host says of it.
struct DrawCase {
  std::vector<std::pair<int, float>> best;  ///< as select leaves them
  core::Edits edits;
  std::map<std::int64_t, float> edited_scores;
  core::Penalties penalties;
  core::Sampling sampling;
  double random = 0;
};

/// What core.sample would take; 0 where it takes nothing.
std::int64_t host_token(const DrawCase& c) {
  std::vector<core::Candidate> all;
  for (const auto& [id, score] : c.best) {
    if (id >= 0 && !c.edits.contains(id)) all.push_back({id, score, score});
  }
  for (const auto& [id, score] : c.edited_scores) {
    all.push_back({id, score, score});
  }
  core::apply(all, c.edits, c.penalties);
  try {
    return all.empty() ? 0 : core::draw(all, c.sampling, c.random).id;
  } catch (const Error&) {
    return 0;
  }
}

DrawEdit edit_of(std::int64_t id, int at, const core::Edit& edit,
                 const core::Penalties& penalties) {
  DrawEdit out{.id = static_cast<std::int32_t>(id),
               .at = at,
               .bias = edit.is_banned ? kLeast : edit.bias};
  if (edit.is_seen) out.repetition = static_cast<float>(penalties.repetition);
  if (edit.written > 0) {
    out.minus = static_cast<float>(penalties.frequency *
                                       static_cast<double>(edit.written) +
                                   penalties.presence);
  }
  return out;
}

/// Draws all cases in one launch, each row from another row of the answers.
class Draws {
 public:
  explicit Draws(const std::vector<DrawCase>& cases, int k)
      : device_(NumberType::kF32), rows_(static_cast<int>(cases.size())) {
    p_.rows = rows_ + 1;  // and an empty one
    p_.k = k;
    p_.single = p_.most_edits = kSingle;
    p_.wanted = kSingle;
    draws_.resize(cases.size() + 1);
    edits_.resize((cases.size() + 1) * kSingle);
    ids_.assign(cases.size() * static_cast<std::size_t>(k), -1);
    values_.assign(ids_.size(), kLeast);
    singles_.assign(cases.size() * kSingle, 0);
    for (std::size_t i = 0; i < cases.size(); ++i) put(cases[i], i);
  }
  std::vector<std::int32_t> run() {
    p_.draws = copied(draws_, "draws");
    p_.edits = copied(edits_, "edits");
    p_.ids = device_.ints(ids_, "ids");
    p_.values = copied(values_, "values");
    p_.singles = copied(singles_, "singles");
    p_.tokens = device_.ints(std::vector<std::int32_t>(draws_.size(), -7), "t");
    p_.drawn = device_.ints(std::vector<std::int32_t>(draws_.size(), -7), "d");
    p_.wanted_ids = device_.ints(
        std::vector<std::int32_t>(draws_.size() * kSingle, -7), "wanted");
    device_.is_reversed = rows_ % 2 == 1;
    device_.launch(device_.kernels().draw, geometry(p_), p_);
    return {p_.tokens, p_.tokens + draws_.size()};
  }
  [[nodiscard]] const DrawParams& params() const { return p_; }

 private:
  void put(const DrawCase& c, std::size_t i) {
    const std::size_t from = draws_.size() - 2 - i;
    const auto k = static_cast<std::size_t>(p_.k);
    for (std::size_t j = 0; j < c.best.size(); ++j) {
      ids_[from * k + j] = c.best[j].first;
      values_[from * k + j] = c.best[j].second;
    }
    int at = kSingle;
    for (const auto& [id, edit] : c.edits) {
      const auto place = static_cast<std::size_t>(kSingle - at);
      edits_[i * kSingle + place] = edit_of(id, --at, edit, c.penalties);
      singles_[from * kSingle + static_cast<std::size_t>(at)] =
          c.edited_scores.at(id);
    }
    const double divisor = std::max(c.sampling.temperature, 1e-30);
    draws_[i] = {.top_p = c.sampling.top_p,
                 .min_p = c.sampling.min_p,
                 .random = c.random,
                 .divisor = c.sampling.temperature == 0
                                ? 0
                                : static_cast<float>(divisor),
                 .from = static_cast<std::int32_t>(from),
                 .best = static_cast<std::int32_t>(c.best.size()),
                 .edits = static_cast<std::int32_t>(c.edits.size()),
                 .top_k = static_cast<std::int32_t>(c.sampling.top_k),
                 .put = i % 2 == 0 ? 3 : -1};
  }
  template <class T>
  const T* copied(const std::vector<T>& values, const std::string& name) {
    const auto bytes = static_cast<std::int64_t>(values.size() * sizeof(T));
    void* to = device_.empty(bytes, name);
    std::copy(values.begin(), values.end(), static_cast<T*>(to));
    device_.set_written(to, bytes);
    return static_cast<const T*>(to);
  }

  Device device_;
  int rows_;
  DrawParams p_;
  std::vector<DrawRow> draws_;
  std::vector<DrawEdit> edits_;
  std::vector<std::int32_t> ids_;
  std::vector<float> values_, singles_;
};

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  int below(int count) {
    return std::uniform_int_distribution<>(0, count - 1)(engine_);
  }
  float score(float scale, bool has_ties) {
    const float x =
        std::uniform_real_distribution<float>(-scale, scale)(engine_);
    return has_ties ? std::trunc(x) : x;
  }
  template <class T>
  T of(const std::vector<T>& values) {
    return values[static_cast<std::size_t>(
        below(static_cast<int>(values.size())))];
  }
  double unit() { return std::uniform_real_distribution<>(0, 1)(engine_); }

 private:
  std::mt19937 engine_;
};

core::Edits some_edits(Random& random) {
  core::Edits edits;
  for (int i = random.below(kSingle); i > 0; --i) {
    edits[random.below(120)] = {
        .bias = random.below(2) == 0 ? 0 : random.score(3, false),
        .is_seen = random.below(2) == 0,
        .written = random.below(3),
        .is_banned = random.below(6) == 0};
  }
  return edits;
}

DrawCase random_case(Random& random, int k) {
  DrawCase c;
  const float scale = random.of<float>({0.5F, 4, 30});
  const bool has_ties = random.below(3) == 0;
  const int tokens = 120;
  std::vector<std::pair<int, float>> all;
  for (int id = 0; id < tokens; ++id) {
    all.emplace_back(id, random.score(scale, has_ties));
  }
  c.edits = random.below(2) == 0 ? core::Edits() : some_edits(random);
  for (const auto& [id, edit] : c.edits) {
    c.edited_scores[id] = all[static_cast<std::size_t>(id)].second;
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return a.second > b.second;
  });
  all.resize(static_cast<std::size_t>(1 + random.below(k)));
  c.best = all;
  c.penalties = {.repetition = random.of<double>({1, 1.3, 0.8}),
                 .frequency = random.of<double>({0, 0.4, -0.2}),
                 .presence = random.of<double>({0, 0.7})};
  c.sampling = {.temperature = random.of<double>({0, 0.7, 1, 1e-3, 1e-40, 30}),
                .top_k = random.of<std::int64_t>({0, 1, 2, 5, 40, 64}),
                .top_p = random.of<double>({1, 0.95, 0.5, 1e-9}),
                .min_p = random.of<double>({0, 0.05, 0.5, 1})};
  c.random = random.of<double>(
      {0, 0x1.fffffffffffffp-1, random.unit(), random.unit(), random.unit()});
  return c;
}

TEST(Draw, TakesWhatTheSamplerTakes) {
  int drawn = 0;
  std::map<std::int64_t, int> seen;
  for (unsigned seed = 0; seed < 40; ++seed) {
    Random random(seed);
    const int k = random.of<int>({1, 8, kMostBest});
    std::vector<DrawCase> cases;
    for (int i = 0; i < 12; ++i) cases.push_back(random_case(random, k));
    Draws draws(cases, k);
    const auto got = draws.run();
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const std::int64_t wanted = host_token(cases[i]);
      ASSERT_EQ(got[i], wanted)
          << "seed " << seed << ", case " << i << ", temperature "
          << cases[i].sampling.temperature << ", top_k "
          << cases[i].sampling.top_k << ", " << cases[i].edits.size()
          << " edits";
      const DrawParams& p = draws.params();
      EXPECT_EQ(p.drawn[i], wanted);
      EXPECT_EQ(p.wanted_ids[i * kSingle + 3], i % 2 == 0 ? wanted : -7);
      ++seen[wanted];
      ++drawn;
    }
    EXPECT_EQ(got.back(), 0) << "the empty row";
  }
  EXPECT_EQ(drawn, 480);
  EXPECT_GT(seen.size(), 60) << "most tokens are taken now and then";
}

/// Each token as often as its probability says, by random numbers as requests
/// have them.
TEST(Draw, FollowsTheProbabilities) {
  std::map<int, int> counts;
  constexpr int kDraws = 400;
  std::vector<DrawCase> cases;
  for (int i = 0; i < kDraws; ++i) {
    cases.push_back({.best = {{3, std::log(5.0F)}, {9, std::log(3.0F)}, {1, 0}},
                     .edits = {},
                     .edited_scores = {},
                     .penalties = {},
                     .sampling = {.temperature = 1, .top_k = 2},
                     .random = uniform(7, 0, i)});
  }
  Draws draws(cases, 8);
  for (const std::int32_t token : draws.run()) ++counts[token];
  // 5 of 8; four deviations of a fair draw.
  EXPECT_NEAR(counts[3], kDraws * 5 / 8, 4 * 9.7);
  EXPECT_EQ(counts[3] + counts[9], kDraws);
}

DrawCase plain(std::vector<std::pair<int, float>> best, double temperature) {
  return {.best = std::move(best),
          .edits = {},
          .edited_scores = {},
          .penalties = {},
          .sampling = {.temperature = temperature},
          .random = 0};
}

/// Of equal ones the lowest at temperature 0, else the highest first.
TEST(Draw, OrdersEqualsAsTheSampler) {
  const std::vector<std::pair<int, float>> equal{{4, 1}, {7, 1}, {8, 1}};
  const std::vector<DrawCase> cases{plain(equal, 0), plain(equal, 1)};
  EXPECT_EQ(Draws(cases, 3).run(), (std::vector<std::int32_t>{4, 8, 0}));
}

/// Where nothing may come, or the scores are none, the host says what is wrong;
/// the device must only not fail.
TEST(Draw, PassesOverWhatIsNoScore) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<DrawCase> cases{
      plain({{-1, kLeast}, {-1, kLeast}}, 1), plain({{5, kLeast}}, 0),
      plain({{5, kNan}, {6, kNan}}, 1), plain({{5, -kLeast}, {6, 1}}, 0.5),
      plain({{5, kNan}, {6, 1}}, 1)};
  EXPECT_EQ(Draws(cases, 2).run(),
            (std::vector<std::int32_t>{0, 0, 0, 0, 6, 0}));
}

}  // namespace
}  // namespace penstock::gemma::cuda
