// Streaming, order, credits, cancellation, deadlines, options.
#include <gtest/gtest.h>

#include <latch>
#include <set>
#include <thread>

#include "tests/framework/runtime/fakes.h"

namespace penstock::fakes {
namespace {

using std::chrono::milliseconds;

TEST(Streaming, PiecesComeBeforeTheEnd) {
  Script script;
  script.forward_time = milliseconds(1);
  Pipeline pipeline(file(script));
  const auto sink = std::make_shared<Collect>();
  std::atomic<bool> was_early{false};
  sink->on_piece = [&] { was_early = was_early || !sink->is_done(); };
  pipeline.submit(request("a", "1 2"), sink);
  const Report& report = sink->wait();
  EXPECT_TRUE(was_early);
  EXPECT_EQ(sink->pieces(), script.max_new);
  EXPECT_EQ(report.token_ids, answer({1, 2}, script.max_new));
  EXPECT_GE(report.timing.first_token_ms, report.timing.queue_ms);
  EXPECT_GT(report.timing.decode_ms, 0);
}

TEST(Streaming, SamplesOfARequestComeInOrder) {
  Script script;
  Pipeline pipeline(file(script, {.max_sequences = 3}));
  const auto sink = std::make_shared<Collect>();
  pipeline.submit(request("a", "1 2/3/5 6 7/2 2/9"), sink);
  sink->wait();
  std::string wanted;
  for (const Tokens& prompt :
       std::vector<Tokens>{{1, 2}, {3}, {5, 6, 7}, {2, 2}, {9}}) {
    wanted += text_of(answer(prompt, script.max_new));
  }
  EXPECT_EQ(sink->text(), wanted);
}

TEST(Options, OfOneRequestDoNotTouchAnother) {
  Script script;
  Pipeline pipeline(file(script));
  const auto short_one = std::make_shared<Collect>();
  const auto long_one = std::make_shared<Collect>();
  Request three = request("a", "1 2");
  three.options["max_new"] = RawScalar{"3"};
  pipeline.submit(three, short_one);
  pipeline.submit(request("b", "1 2"), long_one);
  pipeline.drain();
  EXPECT_EQ(short_one->text(), text_of(answer({1, 2}, 3)));
  EXPECT_EQ(long_one->text(), text_of(answer({1, 2}, script.max_new)));
}

TEST(Writer, ThatHasEnoughEndsItsRow) {
  Script script;
  script.max_new = 100;
  script.stop_after = 5;
  script.forward_time = milliseconds(1);
  Pipeline pipeline(file(script));
  const auto sink = std::make_shared<Collect>();
  pipeline.submit(request("a", "1 2"), sink);
  EXPECT_EQ(sink->wait().finish_reason, "stop");
  EXPECT_EQ(sink->text(), text_of(answer({1, 2}, 5)));
  EXPECT_LT(script.calls, 50);  // a step or two late, not at the limit
}

TEST(Credits, ASlowReaderStallsNobodyElse) {
  Script script;
  script.max_new = 150;
  PipelineOptions options;
  options.writers = 2;
  Pipeline pipeline(file(script, {.max_sequences = 2}), options);
  std::latch release(1);
  const auto slow = std::make_shared<Collect>();
  slow->on_piece = [&] { release.wait(); };
  pipeline.submit(request("slow", "1 2"), slow);
  const auto quick = std::make_shared<Collect>();
  pipeline.submit(request("quick", "3"), quick);
  EXPECT_EQ(quick->wait().finish_reason, "length");
  EXPECT_FALSE(slow->is_done());
  // Its sequence ran until its output was full, then it paused.
  const int calls = script.calls;
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_EQ(script.calls, calls);
  EXPECT_LT(pipeline.stats().tokens_out, 150 + 100);
  release.count_down();
  EXPECT_EQ(slow->wait().finish_reason, "length");
  EXPECT_EQ(slow->text(), text_of(answer({1, 2}, 150)));
}

TEST(Cancelling, ARunningRequestEndsWithinAStep) {
  Script script;
  script.max_new = 150;
  script.forward_time = milliseconds(5);
  Pipeline pipeline(file(script));
  const auto sink = std::make_shared<Collect>();
  auto stop = pipeline.submit(request("a", "1 2"), sink);
  while (sink->pieces() < 3) std::this_thread::yield();
  const Time start = Clock::now();
  stop.request_stop();
  const Report& report = sink->wait();
  EXPECT_LT(Clock::now() - start, milliseconds(500));
  EXPECT_EQ(report.finish_reason, "cancelled");
  EXPECT_FALSE(report.error);
  EXPECT_GE(report.token_ids.size(), 3);
  EXPECT_LT(report.token_ids.size(), 150);
}

TEST(Cancelling, AWaitingRequestEndsAndTheRunningOneGoesOn) {
  Script script;
  script.forward_time = milliseconds(3);
  script.max_new = 30;
  Pipeline pipeline(file(script, {.max_sequences = 1}));
  const auto first = std::make_shared<Collect>();
  const auto second = std::make_shared<Collect>();
  pipeline.submit(request("a", "1 2"), first);
  while (first->pieces() == 0) std::this_thread::yield();
  auto stop = pipeline.submit(request("b", "3"), second);
  stop.request_stop();
  EXPECT_EQ(second->wait().finish_reason, "cancelled");
  EXPECT_FALSE(first->is_done());
  EXPECT_EQ(first->wait().finish_reason, "length");
  EXPECT_EQ(second->text(), "");
}

TEST(Deadline, EndsARunningRequestWithWhatThereIs) {
  Script script;
  script.forward_time = milliseconds(5);
  script.max_new = 150;
  Pipeline pipeline(file(script));
  const auto sink = std::make_shared<Collect>();
  Request late = request("a", "1 2");
  late.deadline = Clock::now() + milliseconds(100);
  pipeline.submit(late, sink);
  const Report& report = sink->wait();
  EXPECT_EQ(report.finish_reason, "deadline");
  EXPECT_GT(report.token_ids.size(), 0);
  EXPECT_LT(report.token_ids.size(), 150);
}

TEST(Deadline, PassedBeforeItBegan) {
  Script script;
  Pipeline pipeline(file(script));
  const auto sink = std::make_shared<Collect>();
  Request late = request("a", "1 2");
  late.deadline = Clock::now() - milliseconds(1);
  pipeline.submit(late, sink);
  EXPECT_EQ(sink->wait().finish_reason, "deadline");
  EXPECT_EQ(script.calls, 0);
}

TEST(Deadline, OfAForwardThatGivesUpIsNoError) {
  Script script;
  script.in_forward = [](const Step& step) {
    const Request& own = *step.slices.front().sequence->item->request;
    std::this_thread::sleep_until(*own.deadline);
    throw Cancelled();
  };
  Pipeline pipeline(file(script));
  const auto sink = std::make_shared<Collect>();
  Request late = request("a", "1 2");
  late.deadline = Clock::now() + milliseconds(20);
  pipeline.submit(late, sink);
  EXPECT_EQ(sink->wait().finish_reason, "deadline");
  EXPECT_FALSE(sink->wait().error);
}

TEST(Cancel, OfAForwardThatGivesUpIsNoError) {
  Script script;
  std::latch is_running{1};
  script.in_forward = [&](const Step& step) {
    const Request& own = *step.slices.front().sequence->item->request;
    is_running.count_down();
    while (!own.stop.stop_requested()) std::this_thread::yield();
    throw Cancelled();
  };
  Pipeline pipeline(file(script));
  const auto sink = std::make_shared<Collect>();
  auto stop = pipeline.submit(request("a", "1 2"), sink);
  is_running.wait();
  stop.request_stop();
  EXPECT_EQ(sink->wait().finish_reason, "cancelled");
  EXPECT_FALSE(sink->wait().error);
}

TEST(Pipeline, EndsWhatIsInFlightWhenItGoes) {
  Script script;
  script.forward_time = milliseconds(2);
  script.max_new = 150;
  std::vector<std::shared_ptr<Collect>> sinks;
  {
    Pipeline pipeline(file(script, {.max_sequences = 2}));
    for (int i = 0; i < 6; ++i) {
      sinks.push_back(std::make_shared<Collect>());
      pipeline.submit(request(str(i), "1 2"), sinks.back());
    }
  }
  for (const auto& sink : sinks) {
    EXPECT_EQ(sink->times_done, 1);
    EXPECT_EQ(sink->wait().finish_reason, "cancelled");
  }
}

TEST(Pipeline, TwoOnOneDeviceShareItsEngine) {
  Script one;
  Script two;
  Pipeline first(file(one));
  Pipeline second(file(two));
  const auto a = std::make_shared<Collect>();
  const auto b = std::make_shared<Collect>();
  std::mutex mutex;
  std::set<std::thread::id> engines;
  for (Script* script : {&one, &two}) {
    script->in_decode = [&](const Sequence&) {
      const std::scoped_lock lock(mutex);
      engines.insert(std::this_thread::get_id());
    };
  }
  first.submit(request("a", "1"), a);
  second.submit(request("b", "2"), b);
  a->wait();
  b->wait();
  EXPECT_EQ(a->text(), text_of(answer({1}, one.max_new)));
  EXPECT_EQ(b->text(), text_of(answer({2}, two.max_new)));
  EXPECT_EQ(engines.size(), 1);
}

TEST(Pipeline, SubmitWaitsWhileEnoughIsInFlight) {
  Script script;
  std::latch release(1);
  script.in_preprocess = [&](const Request&) { release.wait(); };
  PipelineOptions options;
  options.max_in_flight = 2;
  Pipeline pipeline(file(script), options);
  std::atomic<int> submitted{0};
  std::thread feeder([&] {
    for (int i = 0; i < 3; ++i) {
      pipeline.submit(request(str(i), "1"), std::make_shared<Collect>());
      ++submitted;
    }
  });
  while (submitted < 2) std::this_thread::yield();
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_EQ(submitted, 2);
  release.count_down();
  feeder.join();
  pipeline.drain();
  EXPECT_EQ(submitted, 3);
}

}  // namespace
}  // namespace penstock::fakes
