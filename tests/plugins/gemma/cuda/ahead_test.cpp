// How the engine runs a step ahead: what it asks of the device and when, what
// it begins at all, and what it throws away.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "penstock/draw.h"
#include "penstock/error.h"
#include "tests/plugins/gemma/cuda/ahead_runs.h"
#include "tests/plugins/gemma/cuda/apis.h"
#include "tests/plugins/gemma/cuda/sim_engine.h"
#include "tests/plugins/gemma/support.h"

namespace penstock::gemma::cuda {
namespace {

using gpu::RecordingApi;
using gpu::SimulatedApi;
using ::testing::ElementsAre;

class Ahead : public OnOneThread {};

/// In a steady state the device never idles for the host: the next step is in
/// its queue before this one is waited for, and nothing else is asked of it.
TEST_F(Ahead, QueuesTheNextStepBeforeItWaits) {
  auto api = std::make_shared<RecordingApi>(std::make_shared<SimulatedApi>());
  EngineForward forward(sim_engine(tiny("scaled.gguf"), options({}), api));
  AheadHost host(forward);
  host.add({prompt(0, 50), sampled(1, 40)});
  host.add({prompt(9, 50), sampled(2, 40)});
  (void)host.step();  // the prompts
  (void)api->take();
  (void)host.step();
  const auto first = api->take();
  std::vector<std::string> guessed;  // what the second graph is captured of
  std::size_t in = 0;
  std::size_t out = 0;
  for (const auto& call : first) {
    if (call.graph != 2) continue;
    guessed.push_back(call.what);
    if (call.what == "copy_in") in += call.bytes;
    if (call.what == "copy_out") out += call.bytes;
  }
  ASSERT_GE(guessed.size(), 4);
  EXPECT_EQ(guessed[0], "copy_in");
  EXPECT_EQ(guessed[1], "draw");
  EXPECT_EQ(guessed[2], "embed");
  EXPECT_EQ(guessed.back(), "copy_out");
  EXPECT_EQ(std::count(guessed.begin(), guessed.end(), "copy_in"), 1);
  EXPECT_EQ(std::count(guessed.begin(), guessed.end(), "copy_out"), 1);
  // As a step that was asked for, and how to draw; the tokens drawn.
  EXPECT_EQ(in, 2 * (5 * 4 + sizeof(DrawRow)));
  EXPECT_EQ(out, 2 * (2 * kMostBest + 1) * 4);
  std::cout << "a step ahead: " << in << " bytes in, " << out << " out\n";
  (void)host.step();  // captures the graph of the other buffers
  (void)api->take();
  for (int i = 0; i < 9; ++i) {
    (void)host.step();
    EXPECT_THAT(names(api->take()), ElementsAre("replay", "mark", "wait_for"))
        << i;
  }
  // The 64th token is behind: new pages, once in 64 steps, and as there are
  // more keys now, other graphs.
  int copies = 0;
  for (int i = 0; i < 7; ++i) {
    (void)host.step();
    int waits = 0;
    for (const auto& call : api->take()) {
      copies += call.what == "copy_in" && call.graph == 0 ? 1 : 0;
      waits += call.what == "wait_for" ? 1 : 0;
      EXPECT_NE(call.what, "wait");
      EXPECT_NE(call.what, "allocate");
    }
    EXPECT_EQ(waits, 1);
  }
  EXPECT_EQ(copies, 2 * 2);
}

/// Sequences that a test feeds by hand, with a hint of its own.
struct ByHand {
  explicit ByHand(const CudaEngine::Options& how)
      : engine_(sim_engine(tiny("scaled.gguf"), how,
                           std::make_shared<SimulatedApi>())),
        counts(engine_->ahead_counts()),
        forward(std::move(engine_)),
        all(forward, 3) {}
  void begin(std::size_t i, const Tokens& tokens, bool is_last = false) {
    auto draw = std::make_shared<Draw>();
    draw->is_last = is_last;
    all.at(i).tokens = tokens;
    all.at(i).want = {.top = 1, .ids = {}, .draw = draw};
  }
  /// Runs all, and appends the best token of each.
  void grow() {
    const Scores scores = all.run_rest();
    std::int64_t row = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      if (all.at(i).tokens.empty()) continue;
      all.at(i).tokens.push_back(scores.ids[row++][0].item<std::int64_t>());
    }
  }

 private:
  std::unique_ptr<CudaEngine> engine_;

 public:
  const AheadCounts& counts;
  EngineForward forward;
  Sequences all;
};

TEST_F(Ahead, EndsAtTheContextAndWhereNothingFollows) {
  ByHand hand(options({}));
  hand.begin(0, Tokens(126, 300));
  (void)hand.all.run_rest();
  hand.all.at(0).tokens.push_back(301);
  hand.grow();  // token 126; 127, the last, is guessed
  EXPECT_EQ(hand.counts.begun, 1);
  hand.grow();
  EXPECT_EQ(hand.counts.taken, 1);
  EXPECT_EQ(hand.counts.begun, 1) << "there is no place 128";
  hand.forward.release(0);
  hand.all.at(0).cached = 0;
  hand.begin(0, {2, 300}, /*is_last=*/true);
  hand.grow();
  hand.grow();
  EXPECT_EQ(hand.counts.begun, 1);
}

/// Nothing is guessed of steps that something else than a token may follow.
TEST_F(Ahead, BeginsNothingItCannotForesee) {
  const auto some = std::make_shared<TokenSet>(Tokens{3, 77, 300});
  const std::vector<std::pair<std::string, void (*)(Sequence&)>> cases{
      {"no hint", [](Sequence& s) { s.want.draw = nullptr; }},
      {"a draft", [](Sequence& s) { s.draft = {5}; }},
      {"several positions",
       [](Sequence& s) {
         s.tokens.push_back(303);
         s.want.from = 2;
       }},
      {"every score", [](Sequence& s) { s.want.full = true; }},
      {"the state", [](Sequence& s) { s.want.hidden = true; }},
      {"a single score without an edit",
       [](Sequence& s) { s.want.ids = {7}; }}};
  for (const auto& [name, change] : cases) {
    ByHand hand(options({}));
    hand.begin(0, {2, 300, 301});
    hand.begin(1, {2, 310});
    (void)hand.all.run_rest();
    for (const std::size_t i : {0, 1}) hand.all.at(i).tokens.push_back(302);
    change(hand.all.at(1));
    (void)hand.all.run_rest();
    EXPECT_EQ(hand.counts.begun, 0) << name;
  }
  ByHand hand(options({}));
  hand.begin(0, {2, 300, 301});
  (void)hand.all.run_rest();
  hand.all.at(0).tokens.push_back(302);
  hand.all.at(0).want.allowed = {some};
  (void)hand.all.run_rest();
  EXPECT_EQ(hand.counts.begun, 0) << "a mask";
}

/// What is asked of what was guessed may be another question.
TEST_F(Ahead, AnswersNoOtherQuestionThanItGuessed) {
  const std::vector<std::pair<std::string, void (*)(Want&)>> cases{
      {"more of the best", [](Want& w) { w.top = 30; }},
      {"every score", [](Want& w) { w.full = true; }},
      {"the norm", [](Want& w) { w.norm = true; }},
      {"a single score", [](Want& w) { w.ids = {9}; }},
      {"the state", [](Want& w) { w.hidden = true; }},
      {"a mask", [](Want& w) {
         w.allowed = {std::make_shared<TokenSet>(Tokens{3, 77, 300})};
       }}};
  for (const auto& [name, change] : cases) {
    ByHand ahead(options({}));
    ByHand plain(options({.runs_ahead = false}));
    std::vector<Scores> got;
    for (ByHand* hand : {&ahead, &plain}) {
      hand->begin(0, {2, 300});
      hand->begin(1, {2, 310});
      hand->grow();
      hand->grow();
      change(hand->all.at(1).want);
      got.push_back(hand->all.run_rest());
    }
    EXPECT_EQ(ahead.counts.taken,
              name == "every score" || name == "the state" ? 0 : 1)
        << name;
    EXPECT_EQ(ahead.counts.begun, 2) << name;
    ASSERT_EQ(got[0].ids.defined(), got[1].ids.defined()) << name;
    if (got[0].ids.defined()) {
      // Of what a row did not ask for it may be told less.
      EXPECT_TRUE(got[0].ids.select(1, 0).equal(got[1].ids.select(1, 0)));
      EXPECT_TRUE(got[0].ids[1].equal(got[1].ids[1])) << name;
    }
    for (const auto member : {&Scores::full, &Scores::at, &Scores::hidden}) {
      ASSERT_EQ((got[0].*member).defined(), (got[1].*member).defined());
      if ((got[0].*member).defined()) {
        EXPECT_TRUE((got[0].*member).equal(got[1].*member)) << name;
      }
    }
    if (got[0].norm.defined()) {
      EXPECT_TRUE(got[0].norm[1].equal(got[1].norm[1])) << name;
    }
  }
}

/// A slot that was changed has nothing on its way, and others go on.
TEST_F(Ahead, DropsWhatRanInASlotThatWasChanged) {
  for (const std::string what : {"release", "truncate", "copy", "overwrite"}) {
    ByHand ahead(options({}));
    ByHand plain(options({.runs_ahead = false}));
    for (ByHand* hand : {&ahead, &plain}) {
      // Page 0 is full with the token that is guessed.
      hand->begin(0, Tokens(63, 300));
      hand->begin(1, Tokens(70, 310));
      (void)hand->all.run_rest();
      for (const std::size_t i : {0, 1}) hand->all.at(i).tokens.push_back(7);
      hand->grow();
      Sequence& first = hand->all.at(0);
      Sequence& third = hand->all.at(2);
      if (what == "release") {
        hand->forward.release(0);
        first.tokens = {2, 300};
        first.cached = 0;
      } else if (what == "truncate") {
        hand->forward.truncate(0, 60);
        first.tokens.resize(61);
        first.cached = 60;
      } else if (what == "copy") {
        hand->forward.copy(0, 2);
        third = first;
        third.slot = 2;
        third.tokens.back() = 8;
      } else {
        hand->forward.copy(1, 0);
        first.tokens = hand->all.at(1).tokens;
        first.tokens.back() = 9;
        first.cached = hand->all.at(1).cached;
      }
      for (int i = 0; i < 3; ++i) hand->grow();
    }
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(ahead.all.at(i).tokens, plain.all.at(i).tokens) << what << i;
    }
    EXPECT_GE(ahead.counts.taken, 3) << what;
  }
}

/// Finds no memory for the second graph.
class SmallApi final : public gpu::AroundApi {
 public:
  using AroundApi::AroundApi;
  Graph end_capture() override {
    const Graph made = AroundApi::end_capture();
    if (++captured_ != 2) return made;
    AroundApi::destroy(made);
    throw Error(Code::kRetry, "cudaGraphInstantiate: no memory");
  }

 private:
  int captured_ = 0;
};

TEST_F(Ahead, GoesOnWithoutWhereAnotherGraphDoesNotFit) {
  auto api = std::make_shared<SmallApi>(std::make_shared<SimulatedApi>());
  auto engine = sim_engine(tiny("scaled.gguf"), options({}), api);
  const AheadCounts& counts = engine->ahead_counts();
  EngineForward forward(std::move(engine));
  AheadHost host(forward);
  host.add({prompt(0), greedy(9)});
  host.run();
  EXPECT_EQ(counts.begun, 0);
  EXPECT_EQ(host.texts(),
            run({{prompt(0), greedy(9)}}, {.runs_ahead = false}).texts);
}

/// Where pages are short, nothing is begun that would need one; what fails as
/// ever fails when it did.
TEST_F(Ahead, TakesNoPageThatOthersNeed) {
  const Checkpoint checkpoint(tiny("scaled.gguf"));
  const MemoryNeed need = CudaEngine::memory(checkpoint, checkpoint.config(),
                                             options({.slots = 2}), 4);
  const std::int64_t fixed = need.weights + need.buffers;
  // Of which the driver keeps a 32nd.
  How how{.bytes = (fixed + need.sequence_bytes()) * 32 / 31 + 1, .slots = 2};
  std::vector<int> steps;
  for (const bool runs_ahead : {false, true}) {
    how.runs_ahead = runs_ahead;
    EngineForward forward(
        sim_engine(tiny("scaled.gguf"), options(how),
                   std::make_shared<SimulatedApi>(
                       SimulatedApi::Options{.bytes = how.bytes})));
    AheadHost host(forward);
    host.add({prompt(0, 60), greedy(20)});
    host.add({prompt(9, 30), greedy(20)});
    try {
      host.run();
      ADD_FAILURE() << "two pages are enough for three";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kRetry);
    }
    steps.push_back(host.steps());
  }
  EXPECT_THAT(steps, ElementsAre(6, 6));
}

}  // namespace
}  // namespace penstock::gemma::cuda
