// Memory of a step's tensors: used again, and never while somebody has it.
#include "penstock/kept_memory.h"

#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace penstock {
namespace {

constexpr std::int64_t kMany = 100'000;

TEST(KeptMemory, IsUsedAgainOnceNobodyHasIt) {
  KeptMemory memory;
  std::optional<at::Tensor> first = memory.empty({2, kMany}, at::kFloat);
  const void* const place = first->const_data_ptr();
  std::optional<at::Tensor> view = first->select(0, 1);
  first.reset();
  const at::Tensor other = memory.empty({2, kMany}, at::kFloat);
  EXPECT_NE(other.const_data_ptr(), place);
  view.reset();
  const at::Tensor again = memory.empty({kMany}, at::kLong);
  EXPECT_EQ(again.const_data_ptr(), place);
  EXPECT_EQ(again.sizes(), at::IntArrayRef({kMany}));
  EXPECT_EQ(again.scalar_type(), at::kLong);
}

TEST(KeptMemory, IsNotWastedOnWhatIsMuchSmaller) {
  KeptMemory memory;
  const void* const place =
      memory.empty({4 * kMany}, at::kFloat).const_data_ptr();
  EXPECT_NE(memory.empty({kMany}, at::kFloat).const_data_ptr(), place);
  EXPECT_EQ(memory.empty({3 * kMany}, at::kFloat).const_data_ptr(), place);
}

TEST(KeptMemory, KeepsNoMoreThanItWasToldAndTheLast) {
  KeptMemory memory(2 * kMany * 4);
  std::set<const void*> places;
  std::vector<at::Tensor> held;
  for (int i = 0; i < 3; ++i) held.push_back(memory.empty({kMany}, at::kFloat));
  for (at::Tensor& each : held) {
    places.insert(each.const_data_ptr());
    each.reset();
    if (&each == &held.front()) places.clear();  // it will make room
  }
  const at::Tensor one = memory.empty({kMany}, at::kFloat);
  const at::Tensor other = memory.empty({kMany}, at::kFloat);
  EXPECT_EQ(places.erase(one.const_data_ptr()), 1);
  EXPECT_EQ(places.erase(other.const_data_ptr()), 1);
}

TEST(KeptMemory, OneThatIsTooLargeLeavesTheOthers) {
  KeptMemory memory(2 * kMany * 4);
  const void* const place = memory.empty({kMany}, at::kFloat).const_data_ptr();
  (void)memory.empty({3 * kMany}, at::kFloat);
  EXPECT_EQ(memory.empty({kMany}, at::kFloat).const_data_ptr(), place);
}

TEST(KeptMemory, IsGivenBackByAnyThreadAndAfterItsEnd) {
  at::Tensor last;
  {
    KeptMemory memory;
    for (int turn = 0; turn < 100; ++turn) {
      at::Tensor made = memory.empty({kMany}, at::kFloat);
      made.fill_(turn);
      std::jthread([made = std::move(made)]() mutable { made.reset(); }).join();
    }
    last = memory.empty({kMany}, at::kFloat).fill_(7);
  }
  EXPECT_TRUE(last.eq(7).all().item<bool>());
}

TEST(KeptMemory, TakesNoItems) {
  KeptMemory memory;
  EXPECT_EQ(memory.empty({0, 3}, at::kFloat).sizes(), at::IntArrayRef({0, 3}));
}

}  // namespace
}  // namespace penstock
