// Who watches the calls into stages sees what each was given, and can make the
// call again.
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "penstock/stage_call.h"
#include "tests/framework/runtime/fakes.h"

namespace penstock::fakes {
namespace {

using ::testing::HasSubstr;

/// The same call, owned.
KeptCall copy_of(const StageCall& call) {
  KeptCall out;
  out.index = call.index;
  out.facts = *call.facts;
  out.is_end = call.is_end;
  const auto request = [&](const Request& its) {
    auto copy = std::make_shared<Request>();
    copy->id = its.id;
    copy->inputs = its.inputs;
    copy->options = its.options;
    return out.requests.emplace_back(std::move(copy));
  };
  const auto item = [&](const Item& its, const Request& of) {
    auto copy = std::make_shared<Item>();
    copy->tokens = its.tokens;
    copy->inputs = its.inputs;
    copy->notes = its.notes;
    copy->width = its.width;
    copy->index = its.index;
    copy->request = request(of);
    return out.items.emplace_back(std::move(copy));
  };
  if (call.request != nullptr) (void)request(*call.request);
  if (call.item != nullptr) (void)item(*call.item, *call.request);
  if (call.step != nullptr) {
    out.step = *call.step;
    out.step.probe = nullptr;
    for (Slice& slice : out.step.slices) {
      const Sequence& its = *slice.sequence;
      auto copy = std::make_unique<Sequence>(its);
      copy->item = item(*its.item, *its.item->request).get();
      slice.sequence = copy.get();
      out.sequences.push_back(std::move(copy));
    }
  }
  if (call.result != nullptr) out.result = *call.result;
  for (const Decoded& each : call.decoded) {
    Decoded copy = each;
    copy.item = item(*each.item, *each.item->request);
    out.decoded.push_back(std::move(copy));
  }
  return out;
}

class Noted final : public CallWatcher {
 public:
  void called(const StageCall& call) override {
    const std::scoped_lock lock(mutex);
    if (wanted && wanted(call)) {
      kept.emplace(copy_of(call));
      wanted = nullptr;
      is_next = true;
    } else if (is_next && call.result != nullptr) {
      result = *call.result;
      is_next = false;
    }
  }
  void failed(const StageCall& call, const Error& error) override {
    const std::scoped_lock lock(mutex);
    failures.emplace_back(call.stage->spec->kind, error.text());
    if (!kept) kept.emplace(copy_of(call));
  }

  std::mutex mutex;
  std::function<bool(const StageCall&)> wanted;
  bool is_next = false;  ///< the result of the call that was kept is to come
  std::optional<KeptCall> kept;
  Result result;
  std::vector<std::pair<StageKind, std::string>> failures;
};

/// Runs "3 1 4" to its end, watched.
Report run(Script& script, Noted& noted, const Setup& setup = {}) {
  PipelineOptions options;
  options.call_watcher = &noted;
  Pipeline pipeline(file(script, setup), options);
  const auto sink = std::make_shared<Collect>();
  pipeline.submit(request("mine", "3 1 4"), sink);
  pipeline.drain();
  return sink->wait();
}

struct FailingCase {
  const char* name;
  void (*break_it)(Script&);
  StageKind kind;
  const char* text;
};
void PrintTo(const FailingCase& c, std::ostream* out) { *out << c.name; }
class Failing : public ::testing::TestWithParam<FailingCase> {};

TEST_P(Failing, IsSeenWithItsInputsAndFailsAgain) {
  const FailingCase& c = GetParam();
  Script script;
  c.break_it(script);
  Noted noted;
  const Report report = run(script, noted);
  ASSERT_TRUE(report.error);
  ASSERT_GE(noted.failures.size(), 1U);
  EXPECT_EQ(noted.failures[0].first, c.kind);
  EXPECT_EQ(noted.failures[0].second, report.error->text());
  ASSERT_TRUE(noted.kept);
  ASSERT_FALSE(noted.kept->requests.empty());
  EXPECT_EQ(noted.kept->requests[0]->id, "mine");
  script.calls = 0;  // a Forward that fails at a call fails at it again
  try {
    (void)replay(file(script), *noted.kept);
    FAIL() << "it did not fail";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(c.text));
    ASSERT_FALSE(error.places().empty());
    EXPECT_EQ(error.places()[0].name, to_string(c.kind));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, Failing,
    ::testing::Values(
        FailingCase{"Preprocess",
                    [](Script& s) {
                      s.in_preprocess = [](const Request&) {
                        throw Error(Code::kData, "no such number");
                      };
                    },
                    StageKind::kPreprocess, "no such number"},
        FailingCase{"Forward", [](Script& s) { s.throw_at_call = 1; },
                    StageKind::kForward, ""},
        FailingCase{"ForwardNotFinite", [](Script& s) { s.nan_after = 3; },
                    StageKind::kForward, "not finite"},
        FailingCase{"Decode",
                    [](Script& s) {
                      s.in_decode = [](const Sequence&) {
                        throw Error(Code::kInternal, "cannot choose");
                      };
                    },
                    StageKind::kDecode, "cannot choose"},
        FailingCase{"Postprocess",
                    [](Script& s) {
                      s.in_writer = [](const Request&) {
                        throw Error(Code::kInternal, "no ink");
                      };
                    },
                    StageKind::kPostprocess, "no ink"}),
    [](const auto& test) { return test.param.name; });

bool is_forward(const StageCall& call) {
  return call.stage->spec->kind == StageKind::kForward;
}

/// The fourth step of an answer: most of its tokens are in the slot.
bool is_late_forward(const StageCall& call) {
  return is_forward(call) && call.step->slices[0].begin >= 5;
}

struct StateCase {
  const char* name;
  bool is_stateful, can_chunk;
  Rows rows;
};
void PrintTo(const StateCase& c, std::ostream* out) { *out << c.name; }
class State : public ::testing::TestWithParam<StateCase> {};

TEST_P(State, OfAForwardComesBackByItsTokens) {
  Script script;
  script.is_stateful = GetParam().is_stateful;
  script.can_chunk = GetParam().can_chunk;
  const fakes::Setup setup{.sequences = GetParam().rows};
  Noted noted;
  noted.wanted = GetParam().is_stateful ? is_late_forward : is_forward;
  ASSERT_FALSE(run(script, noted, setup).error);
  ASSERT_TRUE(noted.kept);
  const Replayed again = replay(file(script, setup), *noted.kept);
  const Scores& then = noted.result.scores;
  const Scores& now = again.result.scores;
  ASSERT_TRUE(then.ids.defined());
  EXPECT_TRUE(at::equal(then.ids, now.ids));
  EXPECT_TRUE(at::equal(then.values, now.values));
}

INSTANTIATE_TEST_SUITE_P(
    Table, State,
    ::testing::Values(StateCase{"InPieces", true, true, Rows::kContinuous},
                      StateCase{"PromptWhole", true, false, Rows::kContinuous},
                      StateCase{"Padded", true, true, Rows::kPadded},
                      StateCase{"Stateless", false, true, Rows::kContinuous}),
    [](const auto& test) { return test.param.name; });

TEST(Replay, OfDecodeChoosesTheSameToken) {
  Script script;
  Noted noted;
  noted.wanted = [](const StageCall& call) {
    return call.stage->spec->kind == StageKind::kDecode &&
           call.step->slices[0].sequence->tokens.size() == 5;
  };
  ASSERT_FALSE(run(script, noted).error);
  ASSERT_TRUE(noted.kept);
  const Replayed again = replay(file(script), *noted.kept);
  ASSERT_EQ(again.nexts.size(), 1U);
  // Behind the prompt and two tokens comes the third.
  EXPECT_EQ(again.nexts[0].tokens, Tokens{answer({3, 1, 4}, 3).back()});
}

TEST(Replay, OfPreprocessAndBatchGiveWhatTheyGave) {
  Script script;
  for (const StageKind kind : {StageKind::kPreprocess, StageKind::kBatch}) {
    Noted noted;
    noted.wanted = [kind](const StageCall& call) {
      return call.stage->spec->kind == kind;
    };
    ASSERT_FALSE(run(script, noted).error);
    ASSERT_TRUE(noted.kept);
    const Replayed again = replay(file(script), *noted.kept);
    if (kind == StageKind::kPreprocess) {
      ASSERT_EQ(again.items.size(), 1U);
      EXPECT_EQ(again.items[0].tokens, (Tokens{3, 1, 4}));
    } else {
      EXPECT_FALSE(again.inputs.empty());
    }
  }
}

TEST(Replay, RefusesWhatNoRunHandsOn) {
  Script script;
  Noted noted;
  noted.wanted = is_late_forward;
  ASSERT_FALSE(run(script, noted).error);
  ASSERT_TRUE(noted.kept);
  noted.kept->sequences[0]->tokens[1] = -7;
  EXPECT_THROW((void)replay(file(script), *noted.kept), Error);
  KeptCall nowhere;
  nowhere.index = 99;
  EXPECT_THROW((void)replay(file(script), nowhere), Error);
}

}  // namespace
}  // namespace penstock::fakes
