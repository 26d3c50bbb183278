// The block simulator, of kernels whose blocks wait for each other: they run as
// on a GPU, whatever the order, and each check finds its planted fault.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "lib/gpu/sim/sim_block.h"
#include "lib/gpu/sim/simulate.h"

namespace penstock::gpu {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

/// Of the test's kernels: numbers, and counters a cell of 8 apart.
struct TaskParams {
  float* numbers = nullptr;
  std::uint32_t* counters = nullptr;
};

using RunTasks = void (*)(SimBlock&, const void*);

const TaskParams& params_of(const void* params) {
  return *static_cast<const TaskParams*>(params);
}
SimPointer<float> numbers(SimBlock& block, const void* params) {
  return block.global(params_of(params).numbers, "numbers");
}
SimPointer<std::uint32_t> counter(SimBlock& block, const void* params, int i) {
  return block.global(params_of(params).counters, "counters") + i * 8;
}

class Together {
 public:
  Together() : numbers_(kCount), counters_(32) {
    memory_.add(numbers_.data(), kCount * sizeof(float), "numbers");
    memory_.add(counters_.data(), 32 * sizeof(std::uint32_t), "counted");
    memory_.set_written(numbers_.data(), kCount * sizeof(float));
    memory_.set_written(counters_.data(), 32 * sizeof(std::uint32_t));
  }

  /// What the simulator says, or "" where it says nothing.
  std::string run(RunTasks body, unsigned blocks, bool is_reversed,
                  bool waits_for_blocks = true) {
    const Kernel kernel{.name = "planted",
                        .simulate = body,
                        .waits_for_blocks = waits_for_blocks};
    const Geometry geometry{
        .grid = {blocks}, .block = {64}, .shared_bytes = 1024};
    const TaskParams params{numbers_.data(), counters_.data()};
    try {
      simulate(kernel, geometry, &params, memory_,
               {.is_reversed = is_reversed});
    } catch (const SimError& error) {
      return error.what();
    }
    return "";
  }
  [[nodiscard]] const std::vector<float>& numbers() const { return numbers_; }
  [[nodiscard]] const std::vector<std::uint32_t>& counters() const {
    return counters_;
  }

 private:
  static constexpr std::size_t kCount = 1024;
  SimMemory memory_;
  std::vector<float> numbers_;
  std::vector<std::uint32_t> counters_;
};

/// Six tasks each write 64 numbers; six more add those of all to their own;
/// whoever is done last clears the counters.
void two_parts(SimBlock& block, const void* params) {
  const auto at = numbers(block, params);
  for (int task = block.own(); task < 6; task += block.all()) {
    block.begin_task(task, 0, 0);
    block.wait_previous();
    const auto own = block.shared<float>(64, "own");
    own[block.thread()] = static_cast<float>(block.x());
    block.sync();
    at[block.x() * 64 + block.thread()] = own[63 - block.thread()];
    block.end_task(counter(block, params, 0));
  }
  for (int task = block.own(); task < 6; task += block.all()) {
    block.begin_task(0, task, 0, counter(block, params, 0), 6);
    block.wait_previous();
    const auto sums = block.shared<float>(64, "sums");
    sums[block.thread()] = 0.0F;
    for (int i = 0; i < 6; ++i) {
      sums[block.thread()] += at[i * 64 + block.thread()];
    }
    at[(6 + block.y()) * 64 + block.thread()] = sums[block.thread()];
    block.end_task(counter(block, params, 1));
  }
  if (block.own() > 0) return;
  block.begin_task(0, 0, 0, counter(block, params, 1), 6);
  block.wait_previous();
  if (block.thread() < 2) block.clear(counter(block, params, block.thread()));
  block.end_task();
}

TEST(Tasks, OfOnePartSeeThoseOfTheOneBefore) {
  for (const unsigned blocks : {1U, 2U, 4U, 6U, 9U}) {
    for (const bool is_reversed : {false, true}) {
      Together together;
      EXPECT_EQ(together.run(two_parts, blocks, is_reversed), "");
      EXPECT_EQ(together.run(two_parts, blocks, is_reversed), "")
          << "the counters are ready for the next launch";
      for (std::size_t i = 6 * 64; i < std::size_t{12} * 64; ++i) {
        ASSERT_EQ(together.numbers()[i], 15) << blocks << " blocks, " << i;
      }
      EXPECT_EQ(together.counters(), std::vector<std::uint32_t>(32));
    }
  }
}

/// What one block has seen, who awaits it has seen too.
void chain(SimBlock& block, const void* params) {
  const auto at = numbers(block, params);
  const int own = block.own();
  if (own > 0 && block.thread() == 0) {
    block.await(counter(block, params, own - 1), 1);
  }
  block.sync();
  if (own == 0 || own == 3) at[block.thread()] = static_cast<float>(own);
  block.sync();
  if (block.thread() == 0) block.release(counter(block, params, own));
}

TEST(Tasks, SeeWhatOthersSawBeforeThem) {
  for (const bool is_reversed : {false, true}) {
    Together together;
    EXPECT_EQ(together.run(chain, 4, is_reversed), "");
    EXPECT_EQ(together.numbers()[63], 3);
  }
}

struct PlantedTask {
  std::string name;
  RunTasks run;
  std::string says;
  std::string or_says = "-";  ///< where another block comes first
  bool waits_for_blocks = true;
};
void PrintTo(const PlantedTask& c, std::ostream* os) { *os << c.name; }

class TaskChecks : public ::testing::TestWithParam<PlantedTask> {};

TEST_P(TaskChecks, FindTheirFault) {
  for (const bool is_reversed : {false, true}) {
    Together together;
    EXPECT_THAT(
        together.run(GetParam().run, 3, is_reversed,
                     GetParam().waits_for_blocks),
        AnyOf(HasSubstr(GetParam().says), HasSubstr(GetParam().or_says)));
  }
}

/// Block 0 writes and counts, block 1 awaits that and reads, with one thing
/// left out.
enum class Without { kSyncBefore, kRelease, kAwait, kSyncBehind };
template <Without kWhat>
void hand_over(SimBlock& block, const void* params) {
  const auto at = numbers(block, params);
  const auto done = counter(block, params, 0);
  if (block.own() == 0) {
    at[block.thread()] = 1;
    if (kWhat != Without::kSyncBefore) block.sync();
    if (block.thread() == 0 && kWhat != Without::kRelease) block.release(done);
  } else if (block.own() == 1) {
    const std::uint32_t count = kWhat == Without::kRelease ? 0 : 1;
    if (block.thread() == 0 && kWhat != Without::kAwait) {
      block.await(done, count);
    }
    if (kWhat != Without::kSyncBehind) block.sync();
    const float theirs = at[(block.thread() + 1) % 64];
    at[64 + block.thread()] = theirs;
  }
}

/// All read, then block 0 writes; it awaits so many of the others.
template <int kAwaited>
void write_behind(SimBlock& block, const void* params) {
  const auto at = numbers(block, params);
  const auto done = counter(block, params, 0);
  const float mine = at[block.thread()];
  block.sync();
  if (block.own() > 0) {
    if (block.own() > 1 && block.thread() == 0) block.await(done, 1);
    block.sync();
    if (block.thread() == 0) {
      block.release(counter(block, params, block.own() > 1 ? 1 : 0));
    }
    return;
  }
  if (block.thread() == 0) block.await(done, kAwaited);
  block.sync();
  at[block.thread()] = mine + 1;
}

constexpr const char* kUnseen =
    "uses what another block wrote, without a fence and a ticket, or a counter";
constexpr const char* kUnread =
    "writes where another block read, without a counter between them";

// lint: long. A table, whose faults are code.
std::vector<PlantedTask> planted_tasks() {
  return {
      {"nobody_counts_so_far",
       [](SimBlock& block, const void* params) {
         if (block.thread() == 0) {
           if (block.own() > 0) block.release(counter(block, params, 2));
           block.await(counter(block, params, 2), 3);
         }
         block.sync();
       },
       "for a counter, counters at byte 64 of 'counted', to become 3; it is 2, "
       "and no block goes on"},
      {"two_wait_for_each_other",
       [](SimBlock& block, const void* params) {
         if (block.thread() > 0 || block.own() == 2) return;
         block.await(counter(block, params, 1 - block.own()), 1);
         block.release(counter(block, params, block.own()));
       },
       "to become 1; it is 0, and no block goes on"},
      {"awaits_blocks_that_are_not_there",
       [](SimBlock& block, const void* params) {
         if (block.thread() > 0) return;
         block.release(counter(block, params, 0));
         block.await(counter(block, params, 0), 3);
       },
       "to become 3; it is 1, and no block goes on", "-",
       /*waits_for_blocks=*/false},
      {"written_behind_the_last_barrier", hand_over<Without::kSyncBefore>,
       kUnseen, kUnread},
      {"never_released", hand_over<Without::kRelease>, kUnseen, kUnread},
      {"never_awaited", hand_over<Without::kAwait>, kUnseen, kUnread},
      {"awaited_by_another_thread", hand_over<Without::kSyncBehind>, kUnseen,
       kUnread},
      {"written_where_one_reads", write_behind<0>, kUnread, kUnseen},
      {"written_where_the_other_reads", write_behind<1>, kUnread},
      {"cleared_while_others_await",
       [](SimBlock& block, const void* params) {
         const auto done = counter(block, params, 0);
         if (block.thread() > 0) return;
         block.release(done);
         block.await(done, 3);
         // Another may not have come by yet.
         if (block.own() == 1) block.clear(done);
       },
       "clears a counter that another block awaits"},
      {"a_task_within_a_task",
       [](SimBlock& block, const void*) {
         block.begin_task(0, 0, 0);
         block.begin_task(1, 0, 0);
       },
       "begins a task within another"},
      {"a_copy_beyond_its_task",
       [](SimBlock& block, const void* params) {
         block.begin_task(0, 0, 0);
         const SimPointer<const float> from = numbers(block, params);
         block.copy_async(block.shared<float>(256, "s") + block.thread() * 4,
                          from + block.thread() * 4);
         block.end_task();
       },
       "ends a task with copies that it did not wait for"},
      {"shared_memory_of_the_task_before",
       [](SimBlock& block, const void* params) {
         for (int task = 0; task < 2; ++task) {
           block.begin_task(task, 0, 0);
           const auto s = block.shared<float>(64, "s");
           if (task == 0) s[block.thread()] = 1;
           if (task == 1) numbers(block, params)[0] = s[block.thread()];
           block.end_task();
         }
       },
       "reads what nobody wrote"},
  };
}

INSTANTIATE_TEST_SUITE_P(All, TaskChecks, ::testing::ValuesIn(planted_tasks()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace penstock::gpu
