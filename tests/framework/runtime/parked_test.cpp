// A chat's next turn goes on from the state that the turn before left.
#include <gtest/gtest.h>

#include <thread>

#include "fakes.h"

namespace penstock::fakes {
namespace {

Request turn(const std::string& chat, const Tokens& prompt) {
  Request made = request(chat, text_of(prompt));
  made.affinity = chat;
  return made;
}

/// Runs a turn; how many tokens the model computed for it.
std::int64_t computed(Pipeline& pipeline, Script& script, const Request& asked,
                      const Tokens& prompt) {
  const auto before = script.computed.load();
  const auto sink = std::make_shared<Collect>();
  pipeline.submit(asked, sink);
  EXPECT_EQ(sink->wait().token_ids, answer(prompt, script.max_new));
  return script.computed - before;
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
  Pipeline pipeline(file(script, {.max_rows = 1}));
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
  Pipeline pipeline(file(script, {.max_rows = 2}));
  for (const char* chat : {"a", "b", "c"}) {
    computed(pipeline, script, turn(chat, first), first);
  }
  EXPECT_EQ(computed(pipeline, script, turn("b", second), second), 3 + 11);
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
  script.samples = 3;
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

}  // namespace
}  // namespace penstock::fakes
