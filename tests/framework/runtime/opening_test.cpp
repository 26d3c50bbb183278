// What goes wrong while the stages of a pipeline are opened, and the memory
// that they ask for.
#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "runtime/free_memory.h"
#include "tests/framework/runtime/uses.h"

namespace penstock::uses {
namespace {

using ::testing::HasSubstr;

struct Opening {
  std::string name;
  std::function<void(Stages&)> make;
  Code code;
  std::string words;
};
void PrintTo(const Opening& c, std::ostream* os) { *os << c.name; }

class Openings : public ::testing::TestWithParam<Opening> {};

TEST_P(Openings, ThatFailNameTheStage) {
  const Opening& c = GetParam();
  Stages stages;
  c.make(stages);
  try {
    const Pipeline pipeline(file(stages));
    FAIL() << "opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), c.code);
    EXPECT_THAT(error.text(), HasSubstr(c.words));
    EXPECT_THAT(error.what(), HasSubstr("in stage 'forward' (any)"));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, Openings,
    ::testing::ValuesIn<Opening>({
        {"CapsThrow",
         [](Stages& s) {
           s.in_caps = [] { throw std::runtime_error("no caps here"); };
         },
         Code::kInternal, "no caps here"},
        {"MemoryThrows",
         [](Stages& s) {
           s.memory = []() -> std::int64_t {
             throw std::runtime_error("no idea");
           };
         },
         Code::kInternal, "no idea"},
        {"MoreMemoryThanThereIs",
         [](Stages& s) {
           s.memory = [] { return std::int64_t{1} << 60; };
           s.in_forwards_open = [] { FAIL() << "it was opened"; };
         },
         Code::kRetry, "it takes 1099511627776 MiB of memory, but only "},
        {"OutOfADevicesMemory",
         [](Stages& s) {
           s.in_forwards_open = [] {
             throw c10::OutOfMemoryError({"", "", 0}, "tried to take 7 GiB");
           };
         },
         Code::kRetry, "out of memory: tried to take 7 GiB"},
        {"FactOfAnotherType", [](Stages& s) { s.facts["vocab_size"] = 8.0; },
         Code::kInternal, "the fact 'vocab_size' is no integer"},
    }),
    [](const auto& test) { return test.param.name; });

/// A folder that is gone with the test.
struct Folder {
  explicit Folder(const std::string& name)
      : path(std::filesystem::path(::testing::TempDir()) /
             str("penstock_", getpid(), "_", name)) {}
  ~Folder() { std::filesystem::remove_all(path); }
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path / name).parent_path());
    std::ofstream(path / name) << text;
  }
  std::filesystem::path path;
};

constexpr std::int64_t kMiB = 1 << 20;

TEST(FreeMemory, IsTheMachinesWithItsSwap) {
  const Folder f("machine");
  f.write("proc/meminfo",
          "MemTotal: 9000 kB\nMemFree: 1 kB\nMemAvailable:    2048 kB\n"
          "SwapFree: 1024 kB\n");
  const FreeMemory free = free_memory(f.path / "proc", f.path / "cgroup");
  EXPECT_EQ(free.bytes, 3 * kMiB);
  EXPECT_EQ(free.limit, "of this machine");
}

TEST(FreeMemory, IsTheLeastThatAGroupLeaves) {
  const Folder f("groups");
  f.write("proc/meminfo", "MemAvailable: 1048576 kB\n");
  f.write("proc/self/cgroup", "0::/outer/inner\n");
  f.write("cgroup/outer/memory.max", str(100 * kMiB, "\n"));
  f.write("cgroup/outer/memory.current", str(90 * kMiB, "\n"));
  f.write("cgroup/outer/memory.stat", str("anon 7\nfile ", 20 * kMiB, "\n"));
  f.write("cgroup/outer/inner/memory.max", "max\n");
  f.write("cgroup/outer/inner/memory.current", "5\n");
  const FreeMemory free = free_memory(f.path / "proc", f.path / "cgroup");
  EXPECT_EQ(free.bytes, 30 * kMiB);
  EXPECT_EQ(free.limit, "of its cgroup");
}

TEST(FreeMemory, ReadsTheFirstVersionOfGroupsToo) {
  const Folder f("groups_1");
  f.write("proc/self/cgroup", "4:cpu:/x\n7:memory:/job\n");
  f.write("cgroup/memory/job/memory.limit_in_bytes", str(8 * kMiB));
  f.write("cgroup/memory/job/memory.usage_in_bytes", str(6 * kMiB));
  f.write("cgroup/memory/job/memory.stat", str("total_cache ", kMiB, "\n"));
  EXPECT_EQ(free_memory(f.path / "proc", f.path / "cgroup").bytes, 3 * kMiB);
}

TEST(AllMemory, IsTheMachinesOrTheLeastOfItsGroups) {
  const Folder f("all");
  f.write("proc/meminfo",
          "MemTotal: 4096 kB\nMemAvailable: 1 kB\nSwapTotal: 1024 kB\n");
  EXPECT_EQ(all_memory(f.path / "proc", f.path / "cgroup").bytes, 5 * kMiB);
  f.write("proc/self/cgroup", "0::/job\n");
  f.write("cgroup/job/memory.max", str(2 * kMiB, "\n"));
  const FreeMemory all = all_memory(f.path / "proc", f.path / "cgroup");
  EXPECT_EQ(all.bytes, 2 * kMiB);
  EXPECT_EQ(all.limit, "of its cgroup");
}

TEST(FreeMemory, HasNoLimitWhereNothingIsKnown) {
  EXPECT_EQ(free_memory("/nowhere", "/nowhere").bytes,
            std::numeric_limits<std::int64_t>::max());
}

}  // namespace
}  // namespace penstock::uses
