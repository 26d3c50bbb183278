// Products of warpgroups on the block simulator, against plain loops, and that
// each rule of theirs that is broken is found.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "lib/gpu/sim/sim_block.h"
#include "lib/gpu/sim/simulate.h"

namespace penstock::gpu {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::ResultOf;

static_assert(BlockOfGroups<SimBlock>);

constexpr int kColumns = 128;
constexpr int kOutputs = 128;

enum class GroupFault : std::uint8_t {
  kNone,
  kNoOrder,
  kNoFence,
  kFenceBeforeWrite,
  kNoBarrier,
  kReadsEarly,
  kWritesSums,
  kWritesSumsBehindOrder,
  kChangesRowsBehindOrder,
  kHoldsNothing,
  kUneven,
  kOverwrites,
  kOverwritesBehindBarrier,
  kOverwritesBehindWait,
  kNotTurned,
  kChangesRows,
  kNoWait,
  kAlone,
  kOtherMatrix,
  kWrongStride,
  kWrongLeading,
  kBeyond,
};

/// 64 rows and 128 outputs of 128 columns; or, transposed, columns of outputs.
struct GroupParams {
  const Bf16* rows = nullptr;
  const Bf16* outputs = nullptr;
  float* out = nullptr;
  GroupFault fault = GroupFault::kNone;
  bool is_transposed = false, is_in_registers = false;
};

/// Copies a matrix [rows, columns] to where products want it.
void bring(SimBlock& block, SimPointer<const Bf16> from, SimPointer<Bf16> to,
           int rows, int columns, GroupFault fault) {
  if (fault == GroupFault::kFenceBeforeWrite) block.fence_async();
  for (int i = block.thread(); i < rows * columns / 8; i += kGroup) {
    const int r = i / (columns / 8);
    const int c = i % (columns / 8) * 8;
    const int place = fault == GroupFault::kNotTurned
                          ? (c / 64 * rows + r) * 64 + c % 64
                          : swizzled(r, c, rows);
    block.copy_async(to + place, from + (r * columns + c));
  }
  block.commit_copies();
  block.wait_copies<0>();
  const bool has_fence =
      fault != GroupFault::kNoFence && fault != GroupFault::kFenceBeforeWrite;
  if (has_fence) block.fence_async();
}

/// The lane's part of 16 columns of its warp's rows.
TileA rows_in_registers(SimBlock& block, SimPointer<const Bf16> rows, int k) {
  TileA out{};
  for (int i = 0; i < 4; ++i) {
    const int r = block.warp() * 16 + block.lane() / 4 + i % 2 * 8;
    const int c = k + block.lane() % 4 * 2 + i / 2 * 8;
    const Bf16 low = rows[r * kColumns + c];
    const Bf16 high = rows[r * kColumns + c + 1];
    out.at[i] = low.bits | static_cast<std::uint32_t>(high.bits) << 16;
  }
  return out;
}

GroupMatrix outputs_at(SimBlock& block, SimPointer<Bf16> at, int k,
                       const GroupParams& p) {
  GroupMatrix out = p.is_transposed ? rows_of(block, at, k, kColumns)
                                    : columns_of(block, at, 0, k, kOutputs);
  if (p.fault == GroupFault::kWrongStride) out.bits ^= std::uint64_t{64} << 32;
  if (p.fault == GroupFault::kWrongLeading) out.bits ^= std::uint64_t{64} << 16;
  if (p.fault == GroupFault::kBeyond) out.bits += kOutputs * kColumns * 2 / 16;
  if (p.fault == GroupFault::kOtherMatrix && block.warp() == 1) out.bits += 2;
  return out;
}

struct GroupSpace {
  SimPointer<Bf16> rows, outputs;
};

/// What stands before products, and what must not stand behind order_sums().
void order(SimBlock& block, GroupFault fault, GroupSum<kOutputs>& sum,
           TileA (&tiles)[kColumns / 16]) {
  if (fault != GroupFault::kHoldsNothing) {
    block.hold(sum);
    for (TileA& tile : tiles) block.hold(tile);
  }
  if (fault != GroupFault::kNoOrder) block.order_sums();
  if (fault == GroupFault::kWritesSumsBehindOrder) sum.at[2].at[5] = 1;
  if (fault == GroupFault::kChangesRowsBehindOrder) tiles[3].at[1] ^= 1;
}

void break_between(SimBlock& block, const GroupParams& p, const GroupSpace& s,
                   GroupSum<kOutputs>& sum, TileA& tile) {
  const auto at = s.outputs + block.thread();
  if (p.fault == GroupFault::kOverwritesBehindBarrier) block.sync();
  if (p.fault == GroupFault::kOverwrites ||
      p.fault == GroupFault::kOverwritesBehindBarrier) {
    at[0] = Bf16{};
  }
  if (p.fault == GroupFault::kWritesSums) sum.at[0].at[3] = 1;
  if (p.fault == GroupFault::kChangesRows) tile.at[2] ^= 1;
}

void store_sums(SimBlock& block, const GroupParams& p,
                const GroupSum<kOutputs>& sum) {
  const auto out = block.global(p.out, "out");
  for (int j = 0; j < kOutputs / 16; ++j) {
    store_tile(block, out + (block.warp() * 16 * kOutputs + j * 16), sum.at[j],
               kOutputs);
  }
}

void multiply_group(SimBlock& block, const void* params) {
  const auto& p = *static_cast<const GroupParams*>(params);
  const auto rows = block.global(p.rows, "rows");
  const auto outputs = block.global(p.outputs, "outputs");
  if (p.fault == GroupFault::kUneven) (void)block.shared<Bf16>(8, "before");
  const GroupSpace s{block.shared<Bf16>(kGroupRows * kColumns, "rows"),
                     block.shared<Bf16>(kOutputs * kColumns, "outputs")};
  bring(block, rows, s.rows, kGroupRows, kColumns, p.fault);
  bring(block, outputs, s.outputs, p.is_transposed ? kColumns : kOutputs,
        p.is_transposed ? kOutputs : kColumns, p.fault);
  if (p.fault != GroupFault::kNoBarrier) block.sync();
  GroupSum<kOutputs> sum;
  TileA tiles[kColumns / 16];
  for (int k = 0; k < kColumns; k += 16) {
    tiles[k / 16] = rows_in_registers(block, rows, k);
  }
  order(block, p.fault, sum, tiles);
  for (int k = 0; k < kColumns; k += 16) {
    const GroupMatrix b = outputs_at(block, s.outputs, k, p);
    if (p.fault == GroupFault::kAlone && block.warp() == 2) block.sync();
    if (p.is_in_registers && p.is_transposed) {
      block.multiply<true>(sum, tiles[k / 16], b, k > 0);
    } else if (p.is_in_registers) {
      block.multiply<false>(sum, tiles[k / 16], b, k > 0);
    } else if (p.is_transposed) {
      block.multiply<true>(sum, columns_of(block, s.rows, 0, k, kGroupRows), b,
                           k > 0);
    } else {
      block.multiply<false>(sum, columns_of(block, s.rows, 0, k, kGroupRows), b,
                            k > 0);
    }
  }
  block.commit_products();
  break_between(block, p, s, sum, tiles[1]);
  if (p.fault == GroupFault::kReadsEarly) store_sums(block, p, sum);
  if (p.fault == GroupFault::kReadsEarly) block.sync();
  if (p.fault == GroupFault::kNoWait) return;
  block.wait_products<0>();
  if (p.fault == GroupFault::kOverwritesBehindWait)
    s.outputs[block.thread()] = {};
  if (p.fault != GroupFault::kReadsEarly) store_sums(block, p, sum);
}

class GroupLaunch {
 public:
  explicit GroupLaunch(const GroupParams& options) : params_(options) {
    for (int i = 0; i < kGroupRows * kColumns; ++i) rows_.push_back(number(i));
    for (int i = 0; i < kOutputs * kColumns; ++i) {
      outputs_.push_back(number(7 * i + 3));
    }
    params_.rows = rows_.data();
    params_.outputs = outputs_.data();
    params_.out = out_.data();
    add(rows_.data(), rows_.size() * 2, "rows");
    add(outputs_.data(), outputs_.size() * 2, "outputs");
    memory_.add(out_.data(), out_.size() * 4, "out");
  }

  /// What the simulator says, or "" where it says nothing.
  std::string run(bool is_reversed = false) {
    const Kernel kernel{.name = "planted", .simulate = multiply_group};
    const Geometry geometry{
        .grid = {},
        .block = {kGroup},
        .shared_bytes = (kGroupRows + kOutputs) * kColumns * 2 + 16};
    try {
      simulate(kernel, geometry, &params_, memory_,
               {.is_reversed = is_reversed});
    } catch (const SimError& error) {
      return error.what();
    }
    return "";
  }
  [[nodiscard]] const std::vector<float>& out() const { return out_; }
  /// Numbers are so small integers that sums are exact.
  [[nodiscard]] std::vector<float> expected() const {
    std::vector<float> all;
    for (int r = 0; r < kGroupRows; ++r) {
      for (int o = 0; o < kOutputs; ++o) {
        float sum = 0;
        for (int k = 0; k < kColumns; ++k) {
          const int at =
              params_.is_transposed ? k * kOutputs + o : o * kColumns + k;
          sum += to_float(rows_[static_cast<std::size_t>(r * kColumns + k)]) *
                 to_float(outputs_[static_cast<std::size_t>(at)]);
        }
        all.push_back(sum);
      }
    }
    return all;
  }

 private:
  static Bf16 number(int i) {
    return from_float<Bf16>(static_cast<float>(i * 37 % 61 - 30));
  }
  void add(void* at, std::size_t bytes, const char* name) {
    memory_.add(at, bytes, name);
    memory_.set_written(at, bytes);
  }

  GroupParams params_;
  SimMemory memory_;
  std::vector<Bf16> rows_, outputs_;
  std::vector<float> out_ = std::vector<float>(kGroupRows * kOutputs);
};

TEST(GroupProducts, AreThoseOfPlainLoops) {
  for (const bool is_transposed : {false, true}) {
    for (const bool is_in_registers : {false, true}) {
      for (const bool is_reversed : {false, true}) {
        GroupLaunch launch({.is_transposed = is_transposed,
                            .is_in_registers = is_in_registers});
        ASSERT_EQ(launch.run(is_reversed), "");
        EXPECT_EQ(launch.out(), launch.expected())
            << is_transposed << is_in_registers;
      }
    }
  }
}

struct PlantedGroup {
  std::string name;
  GroupParams params;
  std::string says;
};
void PrintTo(const PlantedGroup& c, std::ostream* os) { *os << c.name; }

class GroupFaults : public ::testing::TestWithParam<PlantedGroup> {};

TEST_P(GroupFaults, AreFound) {
  EXPECT_THAT(GroupLaunch(GetParam().params).run(), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    All, GroupFaults,
    ::testing::Values(
        PlantedGroup{
            "no_order", {.fault = GroupFault::kNoOrder}, "order_sums()"},
        PlantedGroup{
            "no_fence", {.fault = GroupFault::kNoFence}, "fence_async()"},
        PlantedGroup{"fence_before_write",
                     {.fault = GroupFault::kFenceBeforeWrite},
                     "fence_async()"},
        PlantedGroup{"no_barrier",
                     {.fault = GroupFault::kNoBarrier},
                     "without a barrier between them"},
        PlantedGroup{"writes_sums",
                     {.fault = GroupFault::kWritesSums},
                     "writes sums that a product under way writes"},
        PlantedGroup{"writes_sums_behind_order",
                     {.fault = GroupFault::kWritesSumsBehindOrder},
                     "writes sums behind hold()"},
        PlantedGroup{"changes_rows_behind_order",
                     {.fault = GroupFault::kChangesRowsBehindOrder,
                      .is_in_registers = true},
                     "changes rows in registers behind hold()"},
        PlantedGroup{
            "holds_nothing",
            {.fault = GroupFault::kHoldsNothing, .is_in_registers = true},
            "did not hold() before order_sums()"},
        PlantedGroup{"uneven",
                     {.fault = GroupFault::kUneven},
                     "of shared memory on, which is no multiple of 1024"},
        PlantedGroup{"overwrites",
                     {.fault = GroupFault::kOverwrites},
                     "where several warps read"},
        PlantedGroup{"overwrites_behind_barrier",
                     {.fault = GroupFault::kOverwritesBehindBarrier},
                     "writes what a product under way reads"},
        PlantedGroup{"overwrites_behind_wait",
                     {.fault = GroupFault::kOverwritesBehindWait},
                     "without a barrier between them"},
        PlantedGroup{
            "changes_rows",
            {.fault = GroupFault::kChangesRows, .is_in_registers = true},
            "changes rows that a product under way reads"},
        PlantedGroup{"no_wait",
                     {.fault = GroupFault::kNoWait},
                     "ends with products that it did not wait for"},
        PlantedGroup{
            "alone", {.fault = GroupFault::kAlone}, "apart from others"},
        PlantedGroup{"other_matrix",
                     {.fault = GroupFault::kOtherMatrix},
                     "another thing than its first thread"},
        PlantedGroup{"beyond", {.fault = GroupFault::kBeyond}, "in no buffer"}),
    [](const auto& test) { return test.param.name; });

TEST(GroupProducts, ThatAreReadEarlyAreNan) {
  GroupLaunch launch({.fault = GroupFault::kReadsEarly});
  EXPECT_EQ(launch.run(), "");
  EXPECT_THAT(launch.out(),
              Each(ResultOf([](float x) { return std::isnan(x); }, true)));
}

/// A wrong descriptor, or memory that is not turned, is not made good: sums are
/// wrong, and where it points to nothing it is refused.
TEST(GroupProducts, GoByTheDescriptor) {
  GroupLaunch not_turned({.fault = GroupFault::kNotTurned});
  EXPECT_EQ(not_turned.run(), "");
  EXPECT_NE(not_turned.out(), not_turned.expected());
  GroupLaunch stride({.fault = GroupFault::kWrongStride});
  EXPECT_EQ(stride.run(), "");
  EXPECT_NE(stride.out(), stride.expected());
  GroupLaunch leading(
      {.fault = GroupFault::kWrongLeading, .is_transposed = true});
  EXPECT_THAT(leading.run(), HasSubstr("in no buffer"));
}

/// By hand from the manual's words and figures of 128 bytes' swizzle: lines of
/// 128 bytes, in each of eight the chunks of 16 bytes change places by XOR.
TEST(GroupMatrices, AreEncodedAsTheManualSays) {
  EXPECT_EQ(group_matrix(0x12340, 128, 1024).bits,
            0x1234ULL | 8ULL << 16 | 64ULL << 32 | 1ULL << 62);
  const GroupPlace columns{4096, 0, 1024, false};
  EXPECT_EQ(columns.at(0, 0), 4096U);
  EXPECT_EQ(columns.at(1, 0), 4096U + 128 + 16);
  EXPECT_EQ(columns.at(7, 8), 4096U + 7 * 128 + (7 ^ 1) * 16);
  EXPECT_EQ(columns.at(9, 3), 4096U + 1024 + 128 + 16 + 6);
  const GroupPlace advanced{4096 + 32, 0, 1024, false};
  EXPECT_EQ(advanced.at(1, 0), 4096U + 128 + (2 ^ 1) * 16);
  const GroupPlace outputs{0, 8192, 1024, true};
  EXPECT_EQ(outputs.at(63, 0), 63U * 2);
  EXPECT_EQ(outputs.at(64, 9), 8192U + 1024 + 128 + 16);
}

TEST(GroupMatrices, AreWhereNumbersAreTurnedTo) {
  for (int r = 0; r < 24; ++r) {
    for (int c = 0; c < 64; ++c) {
      const GroupPlace place{static_cast<std::uint32_t>(c / 16 * 32), 0, 1024,
                             false};
      EXPECT_EQ(place.at(r, c % 16),
                static_cast<std::uint32_t>(swizzled(r, c, 24) * 2));
    }
  }
}

}  // namespace
}  // namespace penstock::gpu
