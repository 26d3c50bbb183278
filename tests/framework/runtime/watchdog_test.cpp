// Stages that do not return are told of, by name; nothing is ended.
#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>

#include "penstock/runner.h"
#include "tests/framework/runtime/uses.h"

namespace penstock::uses {
namespace {

/// A door that a stage waits at.
class Door {
 public:
  void open() {
    const std::scoped_lock lock(mutex_);
    is_open_ = true;
    opened_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [&] { return is_open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool is_open_ = false;
};

void end_at_once(const Step& step, const Result& /*result*/,
                 std::vector<Next>& out) {
  for (std::size_t i = 0; i < step.slices.size(); ++i) {
    Next& next = out.emplace_back();
    next.slice = i;
    next.finish = Finish::kEnd;
  }
}

struct Hang {
  std::string name;
  std::function<void(Stages&, Door&)> make;
  std::string place, request;
};
void PrintTo(const Hang& c, std::ostream* os) { *os << c.name; }

class Hangs : public ::testing::TestWithParam<Hang> {};

TEST_P(Hangs, AreToldByStageAndRequest) {
  const Hang& c = GetParam();
  Door door;
  Stages stages;
  stages.forward = [](const Step&) { return Result(); };
  stages.decode = end_at_once;
  c.make(stages, door);
  std::mutex mutex;
  std::vector<Stall> told;
  PipelineOptions options;
  options.stall_s = 0.2;
  options.on_stall = [&](const Stall& stall) {
    const std::scoped_lock lock(mutex);
    told.push_back(stall);
    if (told.size() == 2) door.open();  // it is told of again
  };
  Pipeline pipeline(file(stages), options);
  const auto sink = std::make_shared<Collector>();
  pipeline.submit(fakes::request("mine", "1 2"), sink);
  pipeline.drain();
  EXPECT_FALSE(sink->wait().report.error);
  const std::scoped_lock lock(mutex);
  ASSERT_GE(told.size(), 2U);
  EXPECT_EQ(told[0].place, c.place);
  EXPECT_EQ(told[0].request, c.request);
  EXPECT_GE(told[0].seconds, 0.2);
  EXPECT_GE(told[1].seconds, 2 * told[0].seconds);
  EXPECT_FALSE(told[0].is_late);
}

INSTANTIATE_TEST_SUITE_P(Table, Hangs,
                         ::testing::ValuesIn<Hang>({
                             {"OfPreprocess",
                              [](Stages& s, Door& door) {
                                s.preprocess = {[&](const Request&, Item in,
                                                    ItemSink& out) {
                                  door.wait();
                                  in.tokens = {1};
                                  out.push(std::move(in));
                                }};
                              },
                              "stage 'preprocess' (any0)", "mine"},
                             {"OfCollate",
                              [](Stages& s, Door& door) {
                                s.collate = [&](std::span<const Slice>) {
                                  door.wait();
                                  return Tensors{};
                                };
                              },
                              "stage 'batch' (any)", "mine"},
                             {"OfForward",
                              [](Stages& s, Door& door) {
                                s.forward = [&](const Step&) {
                                  door.wait();
                                  return Result();
                                };
                              },
                              "stage 'forward' (any)", "mine"},
                             {"OfDecode",
                              [](Stages& s, Door& door) {
                                s.decode = [&](const Step& step,
                                               const Result& result,
                                               std::vector<Next>& out) {
                                  door.wait();
                                  end_at_once(step, result, out);
                                };
                              },
                              "stage 'decode' (any)", "mine"},
                             {"OfPostprocess",
                              [](Stages& s, Door& door) {
                                s.write = [&](const Decoded&, OutputSink&) {
                                  door.wait();
                                  return true;
                                };
                              },
                              "stage 'postprocess' (any)", "mine"},
                             {"WhileOpening",
                              [](Stages& s, Door& door) {
                                s.in_forwards_open = [&] { door.wait(); };
                              },
                              "stage 'forward' (any)", ""},
                         }),
                         [](const auto& test) { return test.param.name; });

/// Nor is a microphone that is silent.
TEST(Watchdog, IsSilentWhileASourceWaits) {
  class Quiet final : public Source {
    std::optional<Value> read() override {
      std::this_thread::sleep_for(std::chrono::milliseconds(600));
      return {};
    }
  };
  Stages stages;
  stages.preprocess = {[](const Request& request, Item in, ItemSink& out) {
    const auto& live =
        std::get<std::shared_ptr<Source>>(request.inputs.at("live"));
    in.tokens = {live->read() ? 1 : 2};
    out.push(std::move(in));
  }};
  stages.forward = [](const Step&) { return Result(); };
  stages.decode = end_at_once;
  std::atomic<int> told{0};
  PipelineOptions options;
  options.stall_s = 0.1;
  options.on_stall = [&](const Stall&) { ++told; };
  Pipeline pipeline(file(stages), options);
  Request request;
  request.inputs["live"] = std::shared_ptr<Source>(std::make_shared<Quiet>());
  pipeline.submit(std::move(request), std::make_shared<Collector>());
  pipeline.drain();
  EXPECT_EQ(told, 0);
}

/// A reader that is slow is no stage that hangs.
TEST(Watchdog, IsSilentWhileASinkWaits) {
  Stages stages;
  stages.forward = [](const Step&) { return Result(); };
  stages.decode = end_at_once;
  std::atomic<int> told{0};
  PipelineOptions options;
  options.stall_s = 0.1;
  options.on_stall = [&](const Stall&) { ++told; };
  class Slow final : public ResultSink {
    void piece(const Request& /*request*/, const Value& /*value*/,
               int /*branch*/, bool /*is_final*/) override {
      std::this_thread::sleep_for(std::chrono::milliseconds(600));
    }
    void done(const Request& /*request*/, const Report& /*report*/) override {}
  };
  Pipeline pipeline(file(stages), options);
  pipeline.submit(fakes::request("a", "1"), std::make_shared<Slow>());
  pipeline.drain();
  EXPECT_EQ(told, 0);
}

/// A Preprocess that asks whether it should stop is asked to at its deadline.
TEST(Watchdog, LooksAtDeadlinesWhileAStageRuns) {
  Stages stages;
  stages.preprocess = {[](const Request& request, Item, ItemSink&) {
    while (!request.stop.stop_requested()) std::this_thread::yield();
    throw Cancelled();
  }};
  PipelineOptions options;
  options.on_stall = [](const Stall&) {};
  Pipeline pipeline(file(stages), options);
  const auto sink = std::make_shared<Collector>();
  Request request = fakes::request("a", "1");
  request.deadline = Clock::now() + std::chrono::milliseconds(50);
  pipeline.submit(std::move(request), sink);
  pipeline.drain();
  EXPECT_EQ(sink->wait().report.finish_reason, "deadline");
}

/// After the grace of five seconds.
TEST(Watchdog, TellsWhenADeadlineIsLongPast) {
  Door door;
  Stages stages;
  stages.forward = [&](const Step&) {
    door.wait();
    return Result();
  };
  stages.decode = end_at_once;
  std::atomic<bool> is_late{false};
  PipelineOptions options;
  options.stall_s = 0;  // of none but late ones
  options.on_stall = [&](const Stall& stall) {
    is_late = stall.is_late;
    door.open();
  };
  Pipeline pipeline(file(stages), options);
  const auto sink = std::make_shared<Collector>();
  Request request = fakes::request("a", "1");
  request.deadline = Clock::now() + std::chrono::milliseconds(50);
  pipeline.submit(std::move(request), sink);
  pipeline.drain();
  EXPECT_TRUE(is_late);
}

TEST(Watchdog, TellsWhereTheStageIsAndHowFullTheQueuesAre) {
  Door door;
  Stages stages;
  stages.forward = [&](const Step&) {
    door.wait();
    return Result();
  };
  stages.decode = end_at_once;
  std::mutex mutex;
  std::optional<Stall> told;
  PipelineOptions options;
  options.stall_s = 0.2;
  options.on_stall = [&](const Stall& stall) {
    const std::scoped_lock lock(mutex);
    told = stall;
    door.open();
  };
  Pipeline pipeline(file(stages), options);
  pipeline.submit(fakes::request("mine", "1 2"), std::make_shared<Collector>());
  pipeline.drain();
  const std::scoped_lock lock(mutex);
  ASSERT_TRUE(told);
  std::map<std::string, std::pair<std::size_t, std::size_t>> queues;
  for (const QueueFill& each : told->queues) {
    queues[each.name] = {each.count, each.most};
  }
  using Fill = std::pair<std::size_t, std::size_t>;
  EXPECT_EQ(queues.at("requests in flight"), (Fill{1, 64}));
  EXPECT_EQ(queues.at("waiting for preprocess").first, 0U);
  EXPECT_EQ(queues.at("waiting for batch").first, 0U);
  EXPECT_EQ(queues.at("running"), (Fill{1, 4}));
  EXPECT_EQ(queues.at("waiting for postprocess").first, 0U);
#if !defined(__SANITIZE_THREAD__)
  // It waits at the door, which is in this program.
  EXPECT_GT(told->stack.size(), 3U);
  EXPECT_TRUE(std::any_of(
      told->stack.begin(), told->stack.end(), [](const std::string& line) {
        return line.find("runtime_test+0x") != std::string::npos;
      }));
#endif
}

/// One worker and one writer: whoever hangs holds the only thread.
class OthersGoOn : public ::testing::TestWithParam<bool> {};

TEST_P(OthersGoOn, WhileOneHangs) {
  const bool is_writer = GetParam();
  Door door;
  Stages stages;
  stages.forward = [](const Step&) { return Result(); };
  stages.decode = end_at_once;
  const auto wait = [&](const Request& request) {
    if (request.id.starts_with("hangs")) door.wait();
  };
  stages.preprocess = {[&](const Request& request, Item in, ItemSink& out) {
    if (!is_writer) wait(request);
    in.tokens = {1};
    out.push(std::move(in));
  }};
  stages.decode = [](const Step& step, const Result&, std::vector<Next>& out) {
    for (std::size_t i = 0; i < step.slices.size(); ++i) {
      Next& next = out.emplace_back();
      next.slice = i;
      next.finish = Finish::kEnd;
      next.emit.emplace_back();
    }
  };
  stages.write = [&](const Decoded& decoded, OutputSink&) {
    if (is_writer) wait(*decoded.item->request);
    return true;
  };
  PipelineOptions options;
  options.preprocess_workers = 1;
  options.writers = 1;
  options.stall_s = 0.1;
  options.on_stall = [](const Stall&) {};
  Pipeline pipeline(file(stages), options);
  for (const char* id : {"hangs", "hangs too"}) {
    pipeline.submit(fakes::request(id, "1"), std::make_shared<Collector>());
  }
  for (const char* id : {"b", "c"}) {
    const auto sink = std::make_shared<Collector>();
    pipeline.submit(fakes::request(id, "1"), sink);
    EXPECT_FALSE(sink->wait().report.error);  // else the test never ends
  }
  door.open();
  pipeline.drain();
}

INSTANTIATE_TEST_SUITE_P(Both, OthersGoOn, ::testing::Bool(),
                         [](const auto& test) {
                           return test.param ? "Writer" : "Preprocess";
                         });

TEST(Watchdog, TellsWhenADeadlinePassesWithinAStage) {
  Door door;
  Stages stages;
  stages.forward = [&](const Step&) {
    door.wait();
    return Result();
  };
  stages.decode = end_at_once;
  std::mutex mutex;
  std::vector<Stall> told;
  PipelineOptions options;
  options.stall_s = 60;
  options.on_stall = [&](const Stall& stall) {
    const std::scoped_lock lock(mutex);
    told.push_back(stall);
    door.open();
  };
  Pipeline pipeline(file(stages), options);
  const auto sink = std::make_shared<Collector>();
  Request request = fakes::request("mine", "1");
  request.deadline = Clock::now() + std::chrono::milliseconds(100);
  pipeline.submit(std::move(request), sink);
  pipeline.drain();
  EXPECT_EQ(sink->wait().report.finish_reason, "deadline");
  const std::scoped_lock lock(mutex);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].request, "mine");
  EXPECT_TRUE(told[0].is_overdue);
  EXPECT_FALSE(told[0].is_late);
  EXPECT_LT(told[0].seconds, 5);
}

}  // namespace
}  // namespace penstock::uses
