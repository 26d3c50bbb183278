// Steps of 65 and 256 rows by the CUDA engine on the block simulator: prompts
// in chunks beside rows that decode, a prefix that many have from one, forks
// and drafts, against the reference engine that is driven alike.
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <numeric>

#include "penstock/parallel.h"
#include "tests/plugins/gemma/cuda/alike.h"
#include "tests/plugins/gemma/cuda/sim_engine.h"
#include "tests/plugins/gemma/support.h"

namespace penstock::gemma::cuda {
namespace {

constexpr std::size_t kPrefix = 60;  ///< tokens, to within a page
constexpr std::size_t kChunk = 40;   ///< of them first

/// The same sequences in several Forwards, of which the first one's best tokens
/// are taken by all.
class Crowd {
 public:
  Crowd(std::vector<Forward*> forwards, std::size_t count)
      : forwards_(std::move(forwards)), count_(count) {
    for (Forward* each : forwards_) all_.emplace_back(*each, count);
  }

  [[nodiscard]] const Sequence& at(std::size_t i) { return all_[0].at(i); }
  void begin(std::size_t i, const Tokens& tokens) {
    for (Sequences& each : all_) {
      each.at(i).tokens = tokens;
      each.at(i).want = {.top = 3, .norm = true, .ids = {7, 300, 575}};
    }
  }
  void release(std::size_t i) {
    for (Forward* each : forwards_) each->release(static_cast<int>(i));
  }
  void draft(std::size_t i, const Tokens& draft) {
    for (Sequences& each : all_) each.at(i).draft = draft;
  }
  /// Sequence `to` goes on as `from` did behind its first `length` tokens.
  void fork(std::size_t from, std::size_t to, std::int64_t length) {
    begin(to, at(from).tokens);
    for (std::size_t f = 0; f < all_.size(); ++f) {
      forwards_[f]->copy(static_cast<int>(from), static_cast<int>(to));
      all_[f].at(to).cached = all_[f].at(from).cached;
    }
    cut(to, length);
  }
  /// One step; 0 tokens of a sequence leave it out.
  [[nodiscard]] std::vector<Scores> run(const std::vector<std::int64_t>& rows) {
    std::vector<Scores> out;
    for (Sequences& each : all_) out.push_back(each.run(rows));
    accept(rows, out[0].ids);
    return out;
  }
  /// What a step of everything that is there has of each.
  [[nodiscard]] std::vector<std::int64_t> rest() {
    std::vector<std::int64_t> out;
    for (std::size_t i = 0; i < count_; ++i) {
      out.push_back(at(i).length() - at(i).cached);
    }
    return out;
  }
  [[nodiscard]] int drafts_taken() const { return taken_; }
  [[nodiscard]] int drafts_refused() const { return refused_; }

 private:
  void cut(std::size_t i, std::int64_t length) {
    for (std::size_t f = 0; f < all_.size(); ++f) {
      Sequence& sequence = all_[f].at(i);
      if (sequence.cached <= length) continue;
      forwards_[f]->truncate(static_cast<int>(i), length);
      sequence.cached = length;
    }
  }
  /// As a Decode would: drafts as far as they are the best, and what follows.
  void accept(const std::vector<std::int64_t>& rows, const at::Tensor& ids) {
    std::int64_t row = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      if (rows[i] == 0 || at(i).cached < at(i).length()) continue;
      const Tokens draft = at(i).draft;
      const auto best = [&](std::size_t behind) {
        return ids[row + static_cast<std::int64_t>(behind)][0]
            .item<std::int64_t>();
      };
      std::size_t good = 0;
      while (good < draft.size() && draft[good] == best(good)) ++good;
      taken_ += static_cast<int>(good);
      refused_ += static_cast<int>(draft.size() - good);
      for (Sequences& each : all_) {
        Tokens& tokens = each.at(i).tokens;
        tokens.insert(tokens.end(), draft.begin(),
                      draft.begin() + static_cast<std::ptrdiff_t>(good));
        tokens.push_back(best(good));
        each.at(i).draft.clear();
      }
      cut(i, std::ssize(at(i).tokens) - 1);
      row += std::ssize(draft) + 1;
    }
  }

  std::vector<Forward*> forwards_;
  std::size_t count_;
  std::vector<Sequences> all_;
  int taken_ = 0, refused_ = 0;
};

struct Wide {
  std::string name;
  std::size_t sequences;
  NumberType type;
};
void PrintTo(const Wide& wide, std::ostream* os) { *os << wide.name; }

class WideSteps : public ::testing::TestWithParam<Wide> {
 protected:
  void SetUp() override { set_threads(1); }
  void TearDown() override { set_threads(0); }

  static Driven reference(const char* dtype) {
    return {tiny("scaled.gguf"),
            {.engine = "reference", .dtype = dtype, .logits = false},
            static_cast<int>(GetParam().sequences)};
  }
  static CudaEngine::Options options() {
    return {.type = GetParam().type,
            .slots = static_cast<int>(GetParam().sequences),
            .chunk = 64,
            .rows = 512};
  }

  void step(Crowd& all, const std::vector<std::int64_t>& rows) {
    const auto scores = all.run(rows);
    const auto count = std::accumulate(rows.begin(), rows.end(), 0L);
    most_rows_ = std::max(most_rows_, count);
    SCOPED_TRACE(::testing::Message() << count << " rows");
    if (scores.size() == 2) return expect_alike(scores[1], scores[0]);
    expect_near(scores[1], scores[0], scores[2]);
  }
  /// Not further from f32 than bf16 is; and the best are the same wherever they
  /// are ahead by more than that.
  void expect_near(const Scores& got, const Scores& exact,
                   const Scores& rounded) {
    const double apart = worst(got.at, exact.at);
    EXPECT_LE(apart, 1.5 * worst(rounded.at, exact.at));
    EXPECT_LE((got.at - exact.at).abs().mean().item<double>(),
              (rounded.at - exact.at).abs().mean().item<double>());
    EXPECT_LE(worst(got.norm, exact.norm), 1.5 * apart);
    const at::Tensor margin =
        exact.values.select(1, 0) - exact.values.select(1, 1);
    const at::Tensor is_clear = margin > 2 * apart;
    const at::Tensor is_same = got.ids.select(1, 0) == exact.ids.select(1, 0);
    EXPECT_TRUE(is_same.logical_or(is_clear.logical_not()).all().item<bool>());
    clear_ += is_clear.sum().item<std::int64_t>();
  }

  /// The first has a prompt in two chunks, a quarter begins with short ones
  /// beside the first of them, the last quarter beside the second.
  void prompts(Crowd& all) {
    all.begin(0, text(0, kPrefix));
    for (std::size_t i = n_ / 2; i < 3 * n_ / 4; ++i) {
      all.begin(i, text(i % 100, 2 + i % 4));
    }
    auto rows = all.rest();
    rows[0] = kChunk;
    step(all, rows);
    for (std::size_t i = 3 * n_ / 4; i < n_; ++i) {
      all.begin(i, text(i % 100, 2 + i % 2));
    }
    step(all, all.rest());
  }
  /// All others have the prefix from the first, and each a token of its own.
  void share(Crowd& all) {
    for (std::size_t i = 1; i < n_ / 2; ++i) {
      all.fork(0, i, kPrefix);
      Tokens own = all.at(0).tokens;
      own.back() = static_cast<std::int64_t>(3 + 2 * i);
      all.begin(i, own);
    }
    step(all, all.rest());
  }
  /// Some end, and forks take their slots, with a draft of the token that is
  /// known from where they come from, and of a wrong one behind it.
  void draft(Crowd& all) {
    const std::size_t forks = n_ / 8;
    for (std::size_t i = 0; i < forks; ++i) {
      const std::size_t from = 1 + i;
      const std::size_t to = n_ / 2 + i;
      const Tokens known = all.at(from).tokens;
      all.release(to);
      all.fork(from, to, std::ssize(known) - 2);
      all.begin(to, {known.begin(), known.end() - 1});
      all.draft(to, {known.back(), 5});
    }
    auto rows = all.rest();
    std::fill(rows.end() - static_cast<std::ptrdiff_t>(2 * forks), rows.end(),
              0);
    step(all, rows);
    EXPECT_GE(all.drafts_taken(), static_cast<int>(forks));
    EXPECT_GE(all.drafts_refused(), static_cast<int>(forks) - 1);
  }

  [[nodiscard]] Tokens text(std::size_t first, std::size_t count) const {
    const auto begin = text_.begin() + static_cast<std::ptrdiff_t>(first);
    return {begin, begin + static_cast<std::ptrdiff_t>(count)};
  }

  const std::size_t n_ = GetParam().sequences;
  const Tokens text_ = golden_json("tiny/tiny.json")["sequence"].get<Tokens>();
  std::int64_t most_rows_ = 0;
  std::int64_t clear_ = 0;  ///< rows whose best token is sure at bf16
};

TEST_P(WideSteps, GiveWhatTheReferenceGives) {
  Driven exact = reference("fp32");
  Driven rounded = reference("bf16");
  auto engine = sim_engine(tiny("scaled.gguf"), options(),
                           std::make_shared<gpu::SimulatedApi>());
  const CudaEngine& known = *engine;
  EngineForward cuda(std::move(engine));
  std::vector<Forward*> forwards{&exact.forward(), &cuda};
  if (GetParam().type == NumberType::kBf16) {
    forwards.push_back(&rounded.forward());
  }
  Crowd all(forwards, n_);
  prompts(all);
  share(all);
  draft(all);
  step(all, all.rest());
  EXPECT_GE(most_rows_, static_cast<std::int64_t>(n_));
  std::cout << "up to " << most_rows_ << " rows, " << known.graphs()
            << " graphs, " << clear_ << " sure tokens\n";
  // Else nothing says that the best tokens are the same.
  if (GetParam().type == NumberType::kBf16) {
    EXPECT_GT(clear_, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Rows, WideSteps,
    ::testing::ValuesIn<Wide>({{"F32Of65", 65, NumberType::kF32},
                               {"Bf16Of65", 65, NumberType::kBf16},
                               {"F32Of256", 256, NumberType::kF32},
                               {"Bf16Of256", 256, NumberType::kBf16}}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace penstock::gemma::cuda
