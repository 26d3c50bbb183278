// A Forward on several devices: each input runs on one of them, with the same
// answer; here the CPU twice and three times.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "penstock/memory_plan.h"
#include "penstock/parallel.h"
#include "penstock/placement.h"
#include "penstock/runner.h"
#include "runtime/copies.h"
#include "tests/framework/runtime/fakes.h"

namespace penstock::fakes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

PipelineFile on(const std::string& devices, Script& script,
                const Setup& setup = {}) {
  PipelineFile made = file(script, setup);
  made.forward.device = devices;
  return made;
}

/// The threads that a Forward of `script` has computed on.
class Threads {
 public:
  explicit Threads(Script& script) {
    script.in_forward = [this](const Step&) {
      const std::scoped_lock lock(mutex_);
      ++steps_[std::this_thread::get_id()];
    };
  }
  [[nodiscard]] std::size_t count() {
    const std::scoped_lock lock(mutex_);
    return steps_.size();
  }

 private:
  std::mutex mutex_;
  std::map<std::thread::id, int> steps_;
};

TEST(Replicas, GiveTheAnswersOfOne) {
  for (const char* devices : {"cpu", "[cpu, cpu]", "[cpu, cpu, cpu]"}) {
    Script script;
    Threads threads(script);
    Runner runner(on(devices, script));
    std::vector<std::shared_ptr<Collect>> all;
    for (int i = 0; i < 24; ++i) {
      all.push_back(std::make_shared<Collect>());
      runner.submit(request(str(i), str(i % 5, " ", i % 3)), all.back());
    }
    runner.drain();
    for (int i = 0; i < 24; ++i) {
      EXPECT_EQ(all[static_cast<std::size_t>(i)]->text(),
                text_of(answer({i % 5, i % 3}, script.max_new)));
    }
    EXPECT_EQ(threads.count(), listed_devices(devices).size()) << devices;
    EXPECT_EQ(runner.stats().at(0).second.requests, 24);
    EXPECT_EQ(runner.stats().at(0).second.tokens_out, 24 * script.max_new);
  }
}

TEST(Replicas, TakeTurnsWhereNothingElseRuns) {
  Script script;
  Threads threads(script);
  Runner runner(on("[cpu, cpu]", script));
  for (int i = 0; i < 2; ++i) (void)runner.run(request(str(i), "3"));
  EXPECT_EQ(threads.count(), 2);
}

TEST(Replicas, ShareTheThreads) {
  set_threads(3);
  for (const auto& [devices, shares] : std::map<std::string, std::vector<int>>{
           {"cpu", {3}},
           {"[cpu, cpu]", {2, 1}},
           {"[cpu, cpu, cpu, cpu]", {1, 1, 1, 1}}}) {
    Script script;
    std::vector<int> seen;
    script.in_forwards_open = [&](const StageContext& context) {
      seen.push_back(context.threads);
    };
    const Runner runner(on(devices, script));
    EXPECT_EQ(seen, shares) << devices;
  }
  set_threads(0);
}

TEST(Replicas, RunAtTheSameTime) {
  Script script;
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  script.in_forward = [&](const Step&) {
    const int now = ++inside;
    for (int seen = most;
         now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    // Until the other is there as well; the test's limit else.
    for (int i = 0; i < 2000 && most < 2; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    --inside;
  };
  Runner runner(on("[cpu, cpu]", script));
  const auto a = std::make_shared<Collect>();
  const auto b = std::make_shared<Collect>();
  runner.submit(request("a", "3"), a);
  runner.submit(request("b", "4"), b);
  runner.drain();
  EXPECT_EQ(most, 2);
}

TEST(Replicas, KeepAChatWhereItsStateIs) {
  Script script;
  Threads threads(script);
  Runner runner(on("[cpu, cpu]", script));
  std::string prompt = "3 1";
  for (int turn = 0; turn < 3; ++turn) {
    Request next = request(str(turn), prompt);
    next.session = "chat";
    prompt += " " + runner.run(std::move(next)).text() + "5";
  }
  EXPECT_EQ(threads.count(), 1);
  EXPECT_GT(runner.stats().at(0).second.reused, 0);
}

TEST(Replicas, FailAlone) {
  Script script;
  script.throw_at_call = 1;
  Runner runner(on("[cpu, cpu]", script));
  EXPECT_THROW((void)runner.run(request("a", "3")), Error);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(runner.run(request(str(i), "3")).text(),
              text_of(answer({3}, script.max_new)));
  }
}

TEST(Replicas, CancelWhatRunsOnAnyOfThem) {
  Script script;
  script.max_new = 100000;
  script.forward_time = std::chrono::milliseconds(1);
  Runner runner(on("[cpu, cpu]", script));
  std::vector<std::shared_ptr<Collect>> all;
  for (int i = 0; i < 4; ++i) {
    all.push_back(std::make_shared<Collect>());
    runner.submit(request(str(i), "3"), all.back());
  }
  runner.cancel_all();
  runner.drain();
  for (const auto& each : all) {
    EXPECT_EQ(each->wait().finish_reason, "cancelled");
  }
}

/// Counts its calls without a lock: it is to be called by one at a time.
class Counting final : public Observer {
 public:
  void step(const Step& step, const Result& /*result*/) override {
    steps += static_cast<std::int64_t>(step.slices.size());
  }
  std::int64_t steps = 0;
};

TEST(Replicas, CallAnObserverOneAtATime) {
  Script script;
  Counting counting;
  PipelineOptions options;
  options.observer = &counting;
  Runner runner(on("[cpu, cpu, cpu]", script), options);
  for (int i = 0; i < 12; ++i) {
    runner.submit(request(str(i), "3"), [](const Value&, int) {});
  }
  runner.drain();
  EXPECT_EQ(counting.steps, 12 * script.max_new);
}

/// What threads() says in Forward, and the threads of a region there: at most
/// as many, since a busy machine may leave it one.
TEST(Replicas, ComputeOnTheirShareOfTheThreads) {
  for (const auto& [devices, share] :
       std::map<std::string, int>{{"cpu", 6},
                                  {"[cpu, cpu]", 3},
                                  {"[cpu, cpu, cpu, cpu, cpu, cpu]", 1}}) {
    set_threads(6);
    std::mutex mutex;
    std::set<int> seen;
    int most = 0;
    Script script;
    script.in_forward = [&](const Step&) {
      parallel_region([&](int, Team& team) {
        const std::scoped_lock lock(mutex);
        most = std::max(most, team.size());
      });
      const std::scoped_lock lock(mutex);
      seen.insert(threads());
    };
    Runner runner(on(devices, script));
    for (int i = 0; i < 12; ++i) {
      runner.submit(request(str(i), "3"), [](const Value&, int) {});
    }
    runner.drain();
    EXPECT_EQ(seen, std::set<int>{share}) << devices;
    EXPECT_LE(most, share) << devices;
    EXPECT_EQ(threads(), 6) << "of who asks from elsewhere";
  }
  set_threads(0);
}

TEST(Replicas, AreToldAndCounted) {
  Script script;
  const PipelineFile two = on("[cpu, cpu]", script);
  EXPECT_THAT(place(two).devices, ElementsAre("cpu", "cpu"));
  EXPECT_EQ(place(two).why, "");
  EXPECT_EQ(check_pipeline(two).device, "cpu, cpu");
  EXPECT_EQ(Runner(two).device(), "cpu, cpu");
  std::map<std::string, int> stages;
  for (const StageMemory& each : plan_memory(composition_of(two), {}).stages) {
    ++stages[each.kind];
  }
  EXPECT_EQ(stages["forward"], 2);
  EXPECT_EQ(stages["batch"], 2);
  EXPECT_EQ(stages["decode"], 2);
  EXPECT_EQ(stages["preprocess"], 1);
  EXPECT_EQ(stages["postprocess"], 1);
}

TEST(Placement, SaysWhatAutoTookAndWhy) {
  Script script;
  PipelineFile made = on("auto", script);
  StageSpec forward = *made.forward.spec;
  forward.devices = {"cpu"};
  made.forward.spec = &forward;
  EXPECT_THAT(place(made).devices, ElementsAre("cpu"));
  EXPECT_THAT(place(made).why, HasSubstr("runs on the CPU alone"));
  forward.devices = {"cpu", "cuda"};
  EXPECT_NE(place(made).why, "");
}

TEST(Placement, ListsWhatIsCopiedBetweenDevices) {
  Script script;
  const PipelineFile made = on("cpu", script);
  EXPECT_TRUE(copies_of(made, at::kCPU).empty());
  EXPECT_THAT(
      copies_of(made, at::Device("cuda:1")),
      ElementsAre(HasSubstr("on cpu to forward (fake.ring) on cuda:1"),
                  HasSubstr("forward (fake.ring) on cuda:1 to decode")));
}

}  // namespace
}  // namespace penstock::fakes
