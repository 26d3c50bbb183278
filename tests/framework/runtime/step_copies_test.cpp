// Copies between a step's stages on different devices, on a device that does
// nothing before somebody waits for it: what is read too early is NaN.
#include "runtime/step_copies.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <limits>
#include <set>
#include <utility>

namespace penstock {
namespace {

using ::testing::ElementsAre;

/// The host's memory stands for the device's. As a GPU's queue, what was asked
/// for is done at last by wait(), in its order; what was not copied yet is NaN.
class LateDevice {
 public:
  /// An operation on the device.
  void give(std::function<void()> work) { queue_.push_back(std::move(work)); }
  void wait() {
    ++waits_;
    while (!queue_.empty()) {
      queue_.front()();
      queue_.pop_front();
    }
  }
  at::Tensor made_there(const at::Tensor& like) {
    at::Tensor made = unwritten(like);
    there_.insert(made.storage().data());
    return made;
  }
  /// Of blocks that nobody holds, the queue neither, or a new one.
  at::Tensor pinned(const at::Tensor& like) {
    for (at::Tensor& block : pool_) {
      if (block.use_count() > 1 || block.sizes() != like.sizes()) continue;
      return block.fill_(std::numeric_limits<float>::quiet_NaN());
    }
    return pool_.emplace_back(unwritten(like));
  }
  [[nodiscard]] bool has(const at::Tensor& tensor) const {
    return there_.contains(tensor.storage().data());
  }
  [[nodiscard]] std::size_t allocated() const { return pool_.size(); }
  [[nodiscard]] int waits() const { return waits_; }

 private:
  static at::Tensor unwritten(const at::Tensor& like) {
    return at::full(like.sizes(), std::numeric_limits<float>::quiet_NaN());
  }

  std::deque<std::function<void()>> queue_;
  std::deque<at::Tensor> pool_;
  std::set<const void*> there_;
  int waits_ = 0;
};

class LateCopies final : public DeviceCopies {
 public:
  explicit LateCopies(LateDevice& device) : device_(device) {}

  at::Tensor pinned(const at::Tensor& like) override {
    return device_.pinned(like);
  }
  at::Tensor on_device(const at::Tensor& like) override {
    return device_.made_there(like);
  }
  [[nodiscard]] bool has(const at::Tensor& tensor) const override {
    return device_.has(tensor);
  }
  void enqueue(const at::Tensor& from, const at::Tensor& to) override {
    device_.give([from, to] { to.copy_(from); });
  }
  void wait() override { device_.wait(); }

 private:
  LateDevice& device_;
};

struct Loop {
  LateDevice device;
  StepCopies copies{std::make_unique<LateCopies>(device), {"x"}};

  /// Twice x, as an engine's kernels would compute it: asked for, not done.
  Result forward(const Tensors& inputs) {
    const at::Tensor x = get(inputs, "x");
    at::Tensor out = device.made_there(x);
    device.give([x, out] { out.copy_(x * 2); });
    return {.out = {{"y", out}}, .scores = {}};
  }
};

std::vector<float> values(const at::Tensor& tensor) {
  const auto flat = tensor.contiguous();
  const auto* first = flat.const_data_ptr<float>();
  return {first, first + flat.numel()};
}

TEST(StepCopies, WaitForWhatDecodeReads) {
  Loop loop;
  Tensors inputs{{"x", at::arange(1, 4, at::kFloat)}};
  loop.copies.to_device(inputs);
  EXPECT_TRUE(loop.device.has(inputs[0].second));
  Result picked = loop.forward(inputs);
  EXPECT_EQ(loop.device.waits(), 0) << "nobody has read anything";
  loop.copies.to_host(picked);
  EXPECT_FALSE(loop.device.has(picked.out[0].second));
  EXPECT_THAT(values(picked.out[0].second), ElementsAre(2, 4, 6));
  EXPECT_EQ(loop.device.waits(), 1);
}

TEST(StepCopies, OfAStepThatIsNotDoneAreNotOverwritten) {
  Loop loop;
  std::vector<Result> steps;
  for (int i = 1; i < 4; ++i) {
    Tensors inputs{{"x", at::full({2}, static_cast<float>(i))}};
    loop.copies.to_device(inputs);
    inputs[0].second.reset();
    Tensors again{{"x", at::full({2}, static_cast<float>(10 * i))}};
    loop.copies.to_device(again);
    steps.push_back(loop.forward(again));
  }
  for (Result& step : steps) loop.copies.to_host(step);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto wanted = static_cast<float>(20 * (i + 1));
    EXPECT_THAT(values(steps[i].out[0].second), ElementsAre(wanted, wanted));
  }
}

TEST(StepCopies, AllocateNothingOnceShapesRepeat) {
  Loop loop;
  std::set<std::size_t> after;
  for (int i = 0; i < 20; ++i) {
    Tensors inputs{{"x", at::full({i % 2 == 0 ? 2 : 5}, 1.0F)}};
    loop.copies.to_device(inputs);
    Result picked = loop.forward(inputs);
    loop.copies.to_host(picked);
    if (i >= 4) after.insert(loop.device.allocated());
  }
  EXPECT_EQ(after.size(), 1);
}

TEST(StepCopies, OfScoresAndOfStridedTensors) {
  Loop loop;
  Tensors inputs{{"x", at::arange(6, at::kFloat).view({2, 3}).t()}};
  loop.copies.to_device(inputs);
  Result picked;
  picked.scores.values = loop.forward(inputs).out[0].second;
  picked.scores.norm = at::full({1}, 7.0F);  // an engine gives it from the CPU
  loop.copies.to_host(picked);
  EXPECT_THAT(values(picked.scores.values), ElementsAre(0, 6, 2, 8, 4, 10));
  EXPECT_THAT(values(picked.scores.norm), ElementsAre(7));
  EXPECT_FALSE(picked.scores.ids.defined());
}

TEST(StepCopies, LeaveWhatForwardReadsFromTheCpu) {
  Loop loop;
  const at::Tensor tokens = at::arange(3, at::kLong);
  Tensors inputs{{"tokens", tokens}};
  loop.copies.to_device(inputs);
  EXPECT_TRUE(inputs[0].second.is_same(tokens));
  Result picked{.out = {{"y", at::full({1}, 1.0F)}}, .scores = {}};
  loop.copies.to_host(picked);
  EXPECT_EQ(loop.device.waits(), 0) << "there was nothing to wait for";
}

TEST(StepCopies, AreNoneWhereForwardIsOnTheCpu) {
  StepCopies none(nullptr, {"x"});
  Tensors inputs{{"x", at::full({1}, 1.0F)}};
  const at::Tensor given = inputs[0].second;
  none.to_device(inputs);
  EXPECT_TRUE(inputs[0].second.is_same(given));
}

TEST(StepCopies, TakeTensorsOfTheBatchAndNoTokens) {
  StageSpec spec;
  for (const char* port :
       {"tokens: i64[T]", "pixels: f32[B,3,H,W]", "features: f32[M,F]"}) {
    spec.inputs.push_back(parse_port(port));
  }
  EXPECT_THAT(copied_inputs(spec), ElementsAre("pixels"));
}

}  // namespace
}  // namespace penstock
