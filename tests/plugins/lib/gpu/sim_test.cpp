// The block simulator: what it runs it runs as a GPU would, and each check
// finds the fault that was planted for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "lib/gpu/sim/sim_block.h"
#include "lib/gpu/sim/simulate.h"

namespace penstock::gpu {
namespace {

using ::testing::HasSubstr;

static_assert(BlockOfThreads<SimBlock>);

/// Buffers of the test's kernels: 64 numbers in, 64 out, a counter.
struct Params {
  const float* in = nullptr;
  float* out = nullptr;
  std::uint32_t* count = nullptr;
};

using Run = void (*)(SimBlock&, const void*);

class Launch {
 public:
  Launch() : in_(kCount), out_(kCount) {
    std::iota(in_.begin(), in_.end(), 1.0F);
    memory_.add(in_.data(), kCount * sizeof(float), "in");
    memory_.add(out_.data(), kCount * sizeof(float), "out");
    memory_.add(&count_, sizeof(count_), "count");
    memory_.set_written(in_.data(), kCount * sizeof(float));
    memory_.set_written(&count_, sizeof(count_));
  }

  /// What the simulator says, or "" where it says nothing.
  std::string run(Run body, unsigned threads = 64, unsigned blocks = 1,
                  bool is_reversed = false) {
    const Kernel kernel{.name = "planted", .simulate = body};
    const Geometry geometry{
        .grid = {blocks}, .block = {threads}, .shared_bytes = 4096};
    const Params params{in_.data(), out_.data(), &count_};
    try {
      simulate(kernel, geometry, &params, memory_,
               {.is_reversed = is_reversed});
    } catch (const SimError& error) {
      return error.what();
    }
    return "";
  }
  [[nodiscard]] const std::vector<float>& out() const { return out_; }
  [[nodiscard]] std::uint32_t count() const { return count_; }

 private:
  static constexpr std::size_t kCount = 64;
  SimMemory memory_;
  std::vector<float> in_, out_;
  std::uint32_t count_ = 0;
};

const Params& of(const void* params) {
  return *static_cast<const Params*>(params);
}

/// Sum of in, by halves over shared memory.
void sum(SimBlock& block, const void* params) {
  const auto in = block.global(of(params).in, "in");
  const auto out = block.global(of(params).out, "out");
  const auto s = block.shared<float>(block.threads(), "s");
  s[block.thread()] = in[block.thread()];
  for (int half = block.threads() / 2; half > 0; half /= 2) {
    block.sync();
    if (block.thread() < half) s[block.thread()] += s[block.thread() + half];
  }
  if (block.thread() == 0) out[0] = s[0];
}

TEST(Simulator, SumsOverABlock) {
  for (const bool is_reversed : {false, true}) {
    Launch launch;
    EXPECT_EQ(launch.run(sum, 64, 1, is_reversed), "");
    EXPECT_EQ(launch.out()[0], 64 * 65 / 2);
  }
}

TEST(Simulator, WarpOperationsGiveWhatTheOthersSent) {
  Launch launch;
  const auto said = launch.run(+[](SimBlock& block, const void* params) {
    const auto out = block.global(of(params).out, "out");
    auto number = static_cast<float>(block.lane());
    for (int mask = 16; mask > 0; mask /= 2) {
      number += block.shuffle_xor(number, mask);
    }
    const bool any = block.any(block.thread() == 40);
    if (block.ballot(block.lane() % 8 == 0) != 0x01010101U) number = 0;
    out[block.thread()] = number + static_cast<float>(any) +
                          block.shuffle(static_cast<float>(block.lane()), 3);
  });
  EXPECT_EQ(said, "");
  EXPECT_EQ(launch.out()[0], 31 * 32 / 2 + 3);
  EXPECT_EQ(launch.out()[63], 31 * 32 / 2 + 1 + 3);
}

/// Each block writes its part; the one that takes the last ticket adds all.
template <bool kFirstFence, bool kSecondFence>
void merge(SimBlock& block, const void* params) {
  const auto in = block.global(of(params).in, "in");
  const auto out = block.global(of(params).out, "out");
  const auto is_last = block.shared<std::uint32_t>(1, "is_last");
  const int at = block.x() * 32 + block.lane();
  out[at] = in[at];
  block.sync();
  if (block.thread() == 0) {
    if (kFirstFence) block.fence();
    const auto count = block.global(of(params).count, "count");
    is_last[0] = static_cast<std::uint32_t>(block.atomic_wrap(count, 1) == 1);
    if (kSecondFence) block.fence();
  }
  block.sync();
  if (is_last[0] == 0) return;
  const float other = out[(1 - block.x()) * 32 + block.lane()];
  block.sync();
  out[at] += other;
}

TEST(Simulator, TheLastBlockSeesWhatOthersFenced) {
  for (const bool is_reversed : {false, true}) {
    Launch launch;
    EXPECT_EQ(launch.run(merge<true, true>, 32, 2, is_reversed), "");
    EXPECT_EQ(launch.out()[is_reversed ? 0 : 32], 1 + 33);
    EXPECT_EQ(launch.count(), 0U) << "the counter is ready for the next launch";
  }
}

TEST(Simulator, MultipliesTiles) {
  Launch launch;
  const auto said = launch.run(
      +[](SimBlock& block, const void* params) {
        const auto out = block.global(of(params).out, "out");
        const auto a = block.shared<Bf16>(256, "a");
        const auto b = block.shared<Bf16>(256, "b");
        const auto c = block.shared<float>(16 * 16, "c");
        // a[i][k] = i, b[j][k] = j + (k == 2)
        for (int i = block.lane(); i < 256; i += kWarp) {
          const int row = i / 16;
          a[i] = from_float<Bf16>(static_cast<float>(row));
          b[i] =
              from_float<Bf16>(static_cast<float>(i % 16 == 2 ? row + 1 : row));
        }
        block.sync_warp();
        TileA tile_a;
        TileB tile_b;
        TileSum sums;
        clear(sums);
        load_tile(block, tile_a, a, 16);
        load_tile(block, tile_b, b, 16);
        block.mma(sums, tile_a, tile_b);
        store_tile(block, c, sums, 16);
        block.sync_warp();
        out[block.lane()] = c[block.lane() * 8];
      },
      32);
  EXPECT_EQ(said, "");
  // c[i][j] = 16 i j + i, of which every eighth was taken.
  for (int n = 0; n < 32; ++n) {
    const int i = n / 2;
    const int j = n % 2 * 8;
    EXPECT_EQ(launch.out()[static_cast<std::size_t>(n)], 16 * i * j + i);
  }
}

TEST(Simulator, CopiesArriveWhenWaitedFor) {
  Launch launch;
  const auto said = launch.run(+[](SimBlock& block, const void* params) {
    const auto in = block.global(of(params).in, "in");
    const auto out = block.global(of(params).out, "out");
    const auto s = block.shared<float>(64, "s");
    if (block.thread() < 16) {
      block.copy_async(s + block.thread() * 4, in + block.thread() * 4);
    }
    block.commit_copies();
    block.wait_copies<0>();
    block.sync();
    out[block.thread()] = s[63 - block.thread()];
  });
  EXPECT_EQ(said, "");
  EXPECT_EQ(launch.out()[0], 64);
}

struct Planted {
  std::string name;
  Run run;
  std::string says;
  unsigned threads = 64, blocks = 1;
};
void PrintTo(const Planted& c, std::ostream* os) { *os << c.name; }

class Checks : public ::testing::TestWithParam<Planted> {};

TEST_P(Checks, FindTheirFault) {
  for (const bool is_reversed : {false, true}) {
    Launch launch;
    EXPECT_THAT(launch.run(GetParam().run, GetParam().threads,
                           GetParam().blocks, is_reversed),
                HasSubstr(GetParam().says));
  }
}

// lint: long. A table, whose faults are code.
std::vector<Planted> planted() {
  return {
      {"shared_out_of_bounds",
       [](SimBlock& block, const void*) {
         const auto s = block.shared<float>(32, "s");
         s[block.thread()] = 1;
       },
       "writes outside of a buffer (4 bytes at byte"},
      {"global_out_of_bounds",
       [](SimBlock& block, const void* params) {
         const auto in = block.global(of(params).in, "in");
         block.load(in + 61 + 3 * block.thread() / 63);
       },
       "of 'in', which has 256)"},
      {"not_device_memory",
       [](SimBlock& block, const void*) {
         static const float number = 0;
         block.global(&number, "number");
       },
       "number points to memory that is not the device's"},
      {"shared_never_written",
       [](SimBlock& block, const void* params) {
         const auto s = block.shared<float>(64, "s");
         block.global(of(params).out, "out")[0] = s[5];
       },
       "reads what nobody wrote (4 bytes at byte 20 of shared 's', which has "
       "256)"},
      {"global_never_written",
       [](SimBlock& block, const void* params) {
         const auto out = block.global(of(params).out, "out");
         out[block.thread()] += 1;
       },
       "reads what nobody wrote"},
      {"no_barrier_before_read",
       [](SimBlock& block, const void* params) {
         const auto s = block.shared<float>(64, "s");
         s[block.thread()] = 1;
         block.sync_warp();
         block.global(of(params).out, "out")[block.thread()] =
             block.thread() < 32 ? s[block.thread()] : s[63 - block.thread()];
       },
       "wrote"},
      {"no_barrier_before_write",
       [](SimBlock& block, const void*) {
         const auto s = block.shared<float>(65, "s");
         s[block.thread()] = 1;
         block.sync();
         const float next = s[(block.thread() + 1) % 64];
         s[block.thread()] = next;
       },
       "without a barrier between them"},
      {"no_warp_barrier",
       [](SimBlock& block, const void* params) {
         const auto s = block.shared<float>(64, "s");
         s[block.thread()] = 1;
         block.any(true);  // orders no memory
         block.global(of(params).out, "out")[block.thread()] =
             s[block.thread() ^ 1];
       },
       "wrote, without a barrier between them"},
      {"two_write_one_word",
       [](SimBlock& block, const void* params) {
         block.global(of(params).out, "out")[block.thread() / 2] = 1;
       },
       "wrote, without a barrier between them"},
      {"two_blocks_write_one_word",
       [](SimBlock& block, const void* params) {
         block.global(of(params).out, "out")[block.thread()] = 1;
       },
       "uses what another block wrote", 64, 2},
      {"no_fence_before_ticket", merge<false, true>,
       "uses what another block wrote, without a fence and a ticket", 32, 2},
      {"no_fence_after_ticket", merge<true, false>,
       "uses what another block wrote, without a fence and a ticket", 32, 2},
      {"some_leave_before_a_barrier",
       [](SimBlock& block, const void*) {
         if (block.thread() == 7) return;
         block.sync();
       },
       "is apart from others"},
      {"barriers_at_two_places",
       [](SimBlock& block, const void*) {
         // NOLINTNEXTLINE(*branch-clone): two places are the fault
         if (block.thread() < 32) {
           block.sync();
         } else {
           block.sync();
         }
       },
       "is apart from others"},
      {"half_a_warp_shuffles",
       [](SimBlock& block, const void*) {
         if (block.lane() < 16) block.shuffle_xor(1, 1);
         block.sync();
       },
       "waits in a warp operation"},
      {"copy_used_before_its_end",
       [](SimBlock& block, const void* params) {
         const auto in = block.global(of(params).in, "in");
         const auto s = block.shared<float>(64 * 4, "s");
         block.copy_async(s + block.thread() * 4, in + block.thread() % 16 * 4);
         block.commit_copies();
         block.wait_copies<1>();
         block.global(of(params).out, "out")[block.thread()] =
             s[block.thread() * 4];
       },
       "reads what nobody wrote"},
      {"copy_never_waited_for",
       [](SimBlock& block, const void* params) {
         const auto in = block.global(of(params).in, "in");
         const auto s = block.shared<float>(64 * 4, "s");
         block.copy_async(s + block.thread() * 4, in + block.thread() % 16 * 4);
       },
       "ends with copies that it did not wait for"},
      {"unaligned_load",
       [](SimBlock& block, const void* params) {
         block.load(block.global(of(params).in, "in") + 1);
       },
       "reads at no multiple of 16"},
      {"streams_what_it_writes",
       [](SimBlock& block, const void* params) {
         const auto out = block.global(of(params).out, "out");
         if (block.thread() < 4) out[block.thread()] = 1;
         block.sync();
         const SimPointer<const float> same = out;
         block.stream(same);
       },
       "streams what was written in this launch"},
      {"tile_without_barrier",
       [](SimBlock& block, const void*) {
         const auto s = block.shared<Bf16>(256 * 2, "s");
         const auto mine = s + block.warp() * 256;
         for (int i = block.lane(); i < 256; i += kWarp) mine[i] = Bf16{};
         block.sync_warp();
         for (int i = block.lane(); i < 256; i += kWarp) mine[i] = Bf16{};
         TileA tile;
         load_tile(block, tile, mine, 16);
       },
       "without a barrier between them"},
      {"too_much_shared_memory",
       [](SimBlock& block, const void*) { block.shared<float>(1025, "s"); },
       "takes 4112 bytes of shared memory, with 's', of 4096"},
      {"no_whole_warps", [](SimBlock&, const void*) {}, "no GPU runs a grid",
       48},
  };
}

INSTANTIATE_TEST_SUITE_P(All, Checks, ::testing::ValuesIn(planted()),
                         [](const auto& test) { return test.param.name; });

TEST(Memory, RefusesBuffersThatOverlap) {
  SimMemory memory;
  std::vector<float> numbers(8);
  memory.add(numbers.data() + 2, 16, "middle");
  EXPECT_THROW(memory.add(numbers.data(), 32, "around"), std::logic_error);
  EXPECT_THROW(memory.add(numbers.data() + 3, 4, "inside"), std::logic_error);
  memory.add(numbers.data() + 6, 8, "behind");
  memory.remove(numbers.data() + 2);
  EXPECT_THROW(memory.remove(numbers.data() + 2), std::logic_error);
  EXPECT_THROW(memory.set_written(numbers.data(), 4), SimError);
}

TEST(Numbers, RoundToTheNearestBf16) {
  const auto bits = [](float x) { return from_float<Bf16>(x).bits; };
  EXPECT_EQ(bits(1.0F), 0x3f80);
  EXPECT_EQ(bits(1.00390625F), 0x3f80) << "half way: even";
  EXPECT_EQ(bits(1.01171875F), 0x3f82) << "half way: even";
  EXPECT_EQ(bits(3.4e38F), 0x7f80) << "too large: infinity";
  EXPECT_TRUE(std::isnan(to_float(from_float<Bf16>(std::nanf("1")))));
}

}  // namespace
}  // namespace penstock::gpu
