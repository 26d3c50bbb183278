// The budget of compute threads holds; parallel_for does what it says.
#include <ATen/ops/full.h>
#include <ATen/ops/mm.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <set>
#include <thread>

#include "penstock/parallel.h"
#include "tests/framework/runtime/fakes.h"

namespace penstock::fakes {
namespace {

int threads_of_process() {
  int count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/self/task")) {
    count += entry.exists() ? 1 : 0;
  }
  return count;
}

TEST(Budget, HoldsWhileEverybodyComputes) {
  constexpr int kBudget = 2;
  // OpenMP keeps the threads of the teams that earlier tests ran.
  const int kept = threads_of_process() - 1;
  set_threads(kBudget);
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  Script script;
  script.in_preprocess = [&](const Request&) {
    ++inside;
    const auto a = at::full({400, 400}, 0.5);
    for (int i = 0; i < 20 || inside < 4; ++i) {
      (void)at::mm(a, a);
      most = std::max<int>(most, threads_of_process());
      if (i > 2000) break;
    }
  };
  script.in_decode = [&](const Sequence&) {
    const auto a = at::full({400, 400}, 0.5);
    (void)at::mm(a, a);  // the engine's own team
    parallel_for(100, 1, [](std::int64_t, std::int64_t) {});
    most = std::max<int>(most, threads_of_process());
  };
  PipelineOptions options;
  options.preprocess_workers = 4;
  Pipeline pipeline(file(script), options);
  for (int i = 0; i < 4; ++i) {
    pipeline.submit(request(str(i), "1 2"), std::make_shared<Collect>());
  }
  pipeline.drain();
  EXPECT_GE(inside, 4);
#ifdef __SANITIZE_THREAD__
  --most;  // the sanitizer's own thread
#endif
  EXPECT_LE(most - kept, kBudget + 8);
  set_threads(0);
}

TEST(ParallelFor, VisitsEachIndexOnce) {
  for (const int budget : {1, 2, 5}) {
    set_threads(budget);
    for (const std::int64_t count : {0, 1, 7, 1000}) {
      std::vector<std::atomic<int>> seen(static_cast<std::size_t>(count));
      parallel_for(count, 3, [&](std::int64_t begin, std::int64_t end) {
        for (auto i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
      });
      for (const auto& each : seen) EXPECT_EQ(each, 1);
    }
  }
  set_threads(0);
}

TEST(ParallelFor, UsesSeveralThreadsAndThrowsAgain) {
  set_threads(3);
  std::mutex mutex;
  std::set<std::thread::id> ids;
  parallel_for(64, 1, [&](std::int64_t, std::int64_t) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    const std::scoped_lock lock(mutex);
    ids.insert(std::this_thread::get_id());
  });
  EXPECT_EQ(ids.size(), 3);
  EXPECT_THROW(parallel_for(64, 1,
                            [](std::int64_t begin, std::int64_t) {
                              if (begin > 10) throw std::out_of_range("x");
                            }),
               std::out_of_range);
  set_threads(0);
}

TEST(ParallelFor, RunsSeriallyInsideItself) {
  set_threads(2);
  std::atomic<std::int64_t> sum{0};
  parallel_for(8, 1, [&](std::int64_t, std::int64_t) {
    const auto outer = std::this_thread::get_id();
    parallel_for(10, 1, [&](std::int64_t begin, std::int64_t end) {
      EXPECT_EQ(std::this_thread::get_id(), outer);
      sum += end - begin;
    });
  });
  EXPECT_GT(sum, 0);
  set_threads(0);
}

TEST(ParallelRegion, EveryThreadSeesWhatAllWroteBeforeAMeeting) {
  for (const int budget : {1, 2, 5}) {
    set_threads(budget);
    std::vector<int> rounds(static_cast<std::size_t>(budget));
    std::atomic<int> wrong{0};
    parallel_region([&](int thread, Team& team) {
      if (team.size() != budget) ++wrong;
      for (int round = 1; round <= 200; ++round) {
        rounds[static_cast<std::size_t>(thread)] = round;
        team.barrier();
        for (const int other : rounds) {
          if (other != round) ++wrong;
        }
        team.barrier();
      }
    });
    EXPECT_EQ(wrong, 0);
  }
  set_threads(0);
}

/// As beside another program that takes a core.
TEST(ParallelRegion, IsAloneForSomeTimeAfterThreadsOnlyWaited) {
  set_threads(2);
  const auto size_of_one = [](std::chrono::milliseconds late) {
    int size = 0;
    parallel_region([&](int thread, Team& team) {
      if (thread == 0) size = team.size();
      if (thread == 1) std::this_thread::sleep_for(late);
      team.barrier();
    });
    return size;
  };
  constexpr std::chrono::milliseconds kLate(20);
  EXPECT_EQ(size_of_one(kLate), 2);
  for (int i = 0; i < 16; ++i) EXPECT_EQ(size_of_one(kLate), 1);
  EXPECT_EQ(size_of_one(kLate), 2);  // looks again
  for (int i = 0; i < 32; ++i) EXPECT_EQ(size_of_one(kLate), 1);
  set_threads(2);
  EXPECT_EQ(size_of_one(kLate), 2);
  set_threads(0);
}

TEST(ParallelRegion, IsAloneInsideALoop) {
  set_threads(3);
  std::atomic<int> regions{0};
  parallel_for(9, 1, [&](std::int64_t, std::int64_t) {
    parallel_region([&](int thread, Team& team) {
      EXPECT_EQ(thread, 0);
      EXPECT_EQ(team.size(), 1);
      team.barrier();
      ++regions;
    });
  });
  EXPECT_EQ(regions, 9);
  set_threads(0);
}

TEST(ParallelFor, SeveralCallersTakeTurns) {
  set_threads(2);
  std::atomic<std::int64_t> sum{0};
  std::vector<std::thread> callers;
  callers.reserve(4);
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      for (int k = 0; k < 50; ++k) {
        parallel_for(20, 1, [&](std::int64_t begin, std::int64_t end) {
          sum += end - begin;
        });
      }
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(sum, 4 * 50 * 20);
  set_threads(0);
}

}  // namespace
}  // namespace penstock::fakes
