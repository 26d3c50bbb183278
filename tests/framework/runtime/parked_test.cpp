// A chat's next turn goes on from the state that the turn before left; where
// prefixes are shared, any sequence from that of one that began alike.
#include <gtest/gtest.h>

#include <array>
#include <thread>

#include "tests/framework/runtime/fakes.h"

namespace penstock::fakes {
namespace {

Request turn(const std::string& chat, const Tokens& prompt) {
  Request made = request(chat, text_of(prompt));
  made.session = chat;
  return made;
}

/// Runs a turn; how many tokens the model computed for it.
std::int64_t computed(Pipeline& pipeline, Script& script, const Request& asked,
                      const Tokens& prompt) {
  const auto before = script.computed.load();
  const auto sink = std::make_shared<Collect>();
  pipeline.submit(asked, sink);
  EXPECT_EQ(sink->wait().token_ids, answer(prompt, script.max_new));
  const std::int64_t made = script.computed - before;
  // The last token of an answer is never computed.
  EXPECT_EQ(sink->wait().reused_tokens + made,
            std::ssize(prompt) + std::ssize(sink->wait().token_ids) - 1);
  return made;
}

/// What was said so far, the answer too, and more.
Tokens continued(Tokens prompt, const Script& script, const Tokens& more) {
  const Tokens said = answer(prompt, script.max_new);
  prompt.insert(prompt.end(), said.begin(), said.end());
  prompt.insert(prompt.end(), more.begin(), more.end());
  return prompt;
}

struct Parked : ::testing::Test {
  Script script;
  Tokens first{1, 2, 3, 4, 5, 6};
  Tokens second = continued(first, script, {7, 8});
};

TEST_F(Parked, ATurnComputesOnlyWhatIsNew) {
  Pipeline pipeline(file(script));
  // The last token of an answer is never computed.
  EXPECT_EQ(computed(pipeline, script, turn("a", first), first), 6 + 11);
  EXPECT_EQ(computed(pipeline, script, turn("a", second), second), 3 + 11);
  EXPECT_EQ(pipeline.stats().reused, 17);
}

TEST_F(Parked, OnlyOfTheSameChat) {
  Pipeline pipeline(file(script));
  computed(pipeline, script, turn("a", first), first);
  EXPECT_EQ(computed(pipeline, script, turn("b", second), second), 20 + 11);
  EXPECT_EQ(computed(pipeline, script, request("c", text_of(second)), second),
            20 + 11);
  EXPECT_EQ(pipeline.stats().reused, 0);
}

TEST_F(Parked, AnEditNearTheEndIsCutAndOneFarBackReplayed) {
  Pipeline pipeline(file(script, {.max_sequences = 1}));
  computed(pipeline, script, turn("a", first), first);
  Tokens edited = second;
  edited[14] = (edited[14] + 1) % kVocab;  // 3 of the 17 held are cut
  EXPECT_EQ(computed(pipeline, script, turn("a", edited), edited), 6 + 11);
  Tokens other = second;
  other[1] = 9;  // beyond the rollback of 8
  EXPECT_EQ(computed(pipeline, script, turn("a", other), other), 20 + 11);
}

TEST_F(Parked, TheOldestGivesWay) {
  script.slots = 2;
  Pipeline pipeline(file(script, {.max_sequences = 2}));
  for (const char* chat : {"a", "b", "c"}) {
    computed(pipeline, script, turn(chat, first), first);
  }
  EXPECT_EQ(computed(pipeline, script, turn("b", second), second), 3 + 11);
  EXPECT_EQ(computed(pipeline, script, turn("a", second), second), 20 + 11);
}

TEST_F(Parked, TheOldestGiveWayWhereAllTakeTooMuch) {
  // 17 MiB for each of the first turns: two fit.
  Pipeline pipeline(file(script, {.kept_mib = 40}));
  for (const char* chat : {"a", "b", "c"}) {
    computed(pipeline, script, turn(chat, first), first);
  }
  EXPECT_EQ(computed(pipeline, script, turn("a", second), second), 20 + 11);
  // 31 of that one; with it none of the others fits.
  EXPECT_EQ(computed(pipeline, script, turn("c", second), second), 20 + 11);
}

TEST_F(Parked, WhatIsTooLargeIsNotKept) {
  Pipeline pipeline(file(script, {.kept_mib = 16}));
  computed(pipeline, script, turn("a", first), first);
  EXPECT_EQ(computed(pipeline, script, turn("a", second), second), 20 + 11);
}

TEST_F(Parked, WhatFailedIsForgotten) {
  script.throw_at_call = 4;
  Pipeline pipeline(file(script));
  const auto sink = std::make_shared<Collect>();
  pipeline.submit(turn("a", first), sink);
  EXPECT_TRUE(sink->wait().error);
  EXPECT_EQ(computed(pipeline, script, turn("a", first), first), 6 + 11);
}

TEST_F(Parked, ACancelledAnswerGoesOnFromWhatItSaid) {
  script.max_new = 400;
  script.forward_time = std::chrono::milliseconds(1);
  Pipeline pipeline(file(script));
  const auto sink = std::make_shared<Collect>();
  std::stop_source stop = pipeline.submit(turn("a", first), sink);
  while (sink->pieces() < 5) std::this_thread::yield();
  stop.request_stop();
  Tokens prompt = first;
  for (const std::int64_t id : sink->wait().token_ids) prompt.push_back(id);
  script.max_new = 12;
  prompt.push_back(3);
  Request next = turn("a", prompt);
  next.options["max_new"] = RawScalar{"12"};
  EXPECT_LE(computed(pipeline, script, next, prompt), 2 + 8 + 11);
}

TEST_F(Parked, ForksOfAChatTakeEmptySlots) {
  script.items = 3;
  Pipeline pipeline(file(script));
  for (const Tokens& prompt : {first, second, first}) {
    const auto sink = std::make_shared<Collect>();
    pipeline.submit(turn("a", prompt), sink);
    sink->wait();
    for (int branch = 0; branch < 3; ++branch) {
      EXPECT_EQ(sink->text(branch),
                text_of(answer(prompt, script.max_new, branch)));
    }
  }
}

/// Prompts that have their first 20 tokens in common.
struct Shared : Parked {
  Shared() { script.max_new = 4; }
  [[nodiscard]] fakes::Setup sequences(std::int64_t most) const {
    return {.max_sequences = most, .prefix_cache = is_shared};
  }
  static Tokens prompt(const Tokens& end) {
    Tokens out;
    for (std::int64_t i = 0; i < 20; ++i) out.push_back(i);
    out.insert(out.end(), end.begin(), end.end());
    return out;
  }
  std::int64_t run(Pipeline& pipeline, const Tokens& prompt) {
    return computed(pipeline, script, request("", text_of(prompt)), prompt);
  }
  bool is_shared = true;
};

TEST_F(Shared, APromptComputesOnlyWhatNoOtherHad) {
  Pipeline pipeline(file(script, sequences(1)));
  EXPECT_EQ(run(pipeline, prompt({1, 2})), 22 + 3);
  EXPECT_EQ(run(pipeline, prompt({3})), 1 + 3);
  EXPECT_EQ(run(pipeline, prompt({3})), 1 + 3);  // its last token runs again
  EXPECT_EQ(pipeline.stats().reused, 20 + 20);
  // Ten tokens in common run as fast as they are found.
  Tokens other = prompt({});
  other[10] = 0;
  EXPECT_EQ(run(pipeline, other), 20 + 3);
}

TEST_F(Shared, OnlyWhereTheFileSaysSo) {
  is_shared = false;
  Pipeline pipeline(file(script, sequences(1)));
  EXPECT_EQ(run(pipeline, prompt({1, 2})), 22 + 3);
  EXPECT_EQ(run(pipeline, prompt({3})), 21 + 3);
}

TEST_F(Shared, WhatIsTooFarBackRunsAgain) {
  Pipeline pipeline(file(script, sequences(1)));
  EXPECT_EQ(run(pipeline, prompt({1, 2, 3, 4, 5, 6})), 26 + 3);
  EXPECT_EQ(run(pipeline, prompt({7})), 21 + 3);  // 9 of 29 to drop
}

TEST_F(Shared, NothingIsTooFarInASlotThatIsWhole) {
  script.whole = 29;
  Pipeline pipeline(file(script, sequences(1)));
  EXPECT_EQ(run(pipeline, prompt({1, 2, 3, 4, 5, 6})), 26 + 3);
  EXPECT_EQ(run(pipeline, prompt({7})), 1 + 3);
  // Longer than that once, and it has forgotten for good.
  EXPECT_EQ(run(pipeline, prompt({7, 6, 5, 4, 3, 2, 1})), 6 + 3);
  EXPECT_EQ(run(pipeline, prompt({8})), 21 + 3);
}

TEST_F(Shared, ARunningRowIsCopied) {
  script.max_new = 150;
  script.whole = 200;
  script.forward_time = std::chrono::milliseconds(1);
  Pipeline pipeline(file(script, sequences(2)));
  const auto sink = std::make_shared<Collect>();
  pipeline.submit(request("", text_of(prompt({1, 2}))), sink);
  while (sink->pieces() < 3) std::this_thread::yield();
  Request late = request("", text_of(prompt({3})));
  late.options["max_new"] = RawScalar{"4"};
  const auto other = std::make_shared<Collect>();
  pipeline.submit(late, other);
  EXPECT_EQ(other->wait().token_ids, answer(prompt({3}), 4));
  EXPECT_EQ(sink->wait().token_ids, answer(prompt({1, 2}), 150));
  EXPECT_EQ(pipeline.stats().copies, 1);
  EXPECT_EQ(pipeline.stats().reused, 20);
}

/// Prompts that come together, while more are announced.
std::int64_t computed_together(Pipeline& pipeline, Script& script,
                               const std::vector<Tokens>& prompts) {
  const auto before = script.computed.load();
  std::vector<std::shared_ptr<Collect>> sinks;
  {
    const auto more = pipeline.more_coming();
    for (const Tokens& each : prompts) {
      sinks.push_back(std::make_shared<Collect>());
      pipeline.submit(request("", text_of(each)), sinks.back());
    }
  }
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    EXPECT_EQ(sinks[i]->wait().token_ids, answer(prompts[i], script.max_new));
  }
  return script.computed - before;
}

TEST_F(Shared, ABeginningIsComputedOnceForAllThatComeTogether) {
  fakes::Setup setup = sequences(4);
  setup.max_wait_ms = 1e4;
  Pipeline pipeline(file(script, setup));
  EXPECT_EQ(computed_together(pipeline, script,
                              {prompt({1}), prompt({2}), prompt({3, 4})}),
            20 + (1 + 3) + (1 + 3) + (2 + 3));
  EXPECT_EQ(pipeline.stats().copies, 2);
}

TEST_F(Shared, TheOneThatComputesStopsWhereTheOthersCanGoOn) {
  fakes::Setup setup = sequences(4);
  setup.max_wait_ms = 1e4;
  Pipeline pipeline(file(script, setup));
  // 30 tokens behind the beginning are more than can be dropped.
  EXPECT_EQ(
      computed_together(pipeline, script,
                        {prompt(Tokens(30, 5)), prompt({2}), prompt({3})}),
      20 + (30 + 3) + (1 + 3) + (1 + 3));
}

TEST_F(Shared, WhoWaitsGoesOnWhereTheOtherFails) {
  script.throw_at_call = 1;
  fakes::Setup setup = sequences(4);
  setup.max_wait_ms = 1e4;
  Pipeline pipeline(file(script, setup));
  const std::array prompts{prompt({1}), prompt({2})};
  std::array sinks{std::make_shared<Collect>(), std::make_shared<Collect>()};
  {
    const auto more = pipeline.more_coming();
    for (std::size_t i : {0, 1}) {
      pipeline.submit(request("", text_of(prompts[i])), sinks[i]);
    }
  }
  pipeline.drain();
  // Either may come first.
  const std::size_t right = sinks[0]->wait().error ? 1 : 0;
  EXPECT_TRUE(sinks[1 - right]->wait().error);
  EXPECT_FALSE(sinks[right]->wait().error);
  EXPECT_EQ(sinks[right]->wait().token_ids,
            answer(prompts[right], script.max_new));
}

TEST_F(Shared, AChatKeepsItsOwn) {
  Pipeline pipeline(file(script, sequences(2)));
  first = prompt({1, 2});
  computed(pipeline, script, turn("a", first), first);
  EXPECT_EQ(run(pipeline, prompt({3})), 21 + 3);
  second = continued(first, script, {7, 8});
  EXPECT_EQ(computed(pipeline, script, turn("a", second), second), 3 + 3);
}

}  // namespace
}  // namespace penstock::fakes
