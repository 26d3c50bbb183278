// Copies between a step's stages on different devices, on a device that does
// nothing before somebody waits for it.
#include "runtime/step_copies.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "tests/framework/runtime/late_device.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using testing::LateCopies;
using testing::LateDevice;

struct Loop {
  LateDevice device;
  StepCopies copies{std::make_unique<LateCopies>(device), {"x"}};

  /// Twice x, as an engine's kernels would compute it: asked for, not done.
  Result forward(const Tensors& inputs) {
    const at::Tensor x = get(inputs, "x");
    at::Tensor out = device.made_there(x);
    device.give(
        [this, x, out] { device.memory(out).copy_(device.memory(x) * 2); });
    return {.out = {{"y", out}}, .scores = {}};
  }
  /// Whether there was a wait.
  bool to_host(Result& picked) {
    Scores made;
    return copies.to_host(picked, made);
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
  EXPECT_TRUE(inputs[0].second.is_meta());
  Result picked = loop.forward(inputs);
  EXPECT_EQ(loop.device.waits(), 0) << "nobody has read anything";
  EXPECT_TRUE(loop.to_host(picked));
  EXPECT_TRUE(picked.out[0].second.is_cpu());
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
  for (Result& step : steps) loop.to_host(step);
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
    loop.to_host(picked);
    picked = {};
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
  loop.to_host(picked);
  EXPECT_THAT(values(picked.scores.values), ElementsAre(0, 6, 2, 8, 4, 10));
  EXPECT_THAT(values(picked.scores.norm), ElementsAre(7));
  EXPECT_FALSE(picked.scores.ids.defined());
}

TEST(StepCopies, OfWhatChecksReadComeByTheSameWait) {
  Loop loop;
  Scores made;
  made.ids = loop.device.will_be(at::full({2, 1}, 5, at::kLong));
  made.values = loop.device.will_be(at::full({2, 1}, 7.0F));
  made.norm = at::full({2}, 9.0F);  // on the CPU: it was looked at there
  Result picked;
  picked.scores.values = made.values;
  const at::Tensor y = loop.device.will_be(at::full({2}, 8.0F));
  picked.out = {{"y", y}, {"z", y}};
  EXPECT_TRUE(loop.copies.to_host(picked, made));
  EXPECT_EQ(loop.device.waits(), 1);
  EXPECT_EQ(made.ids.const_data_ptr<std::int64_t>()[1], 5);
  EXPECT_THAT(values(made.values), ElementsAre(7, 7));
  EXPECT_FALSE(made.norm.defined());
  EXPECT_TRUE(picked.scores.values.is_same(made.values)) << "copied twice";
  EXPECT_TRUE(picked.out[0].second.is_same(picked.out[1].second));
  EXPECT_FALSE(picked.scores.ids.defined()) << "Decode did not pick it";
}

TEST(StepCopies, AreNotMadeForChecksAlone) {
  Loop loop;
  Scores made;
  made.values = loop.device.will_be(at::full({2, 1}, 7.0F));
  Result picked;
  EXPECT_FALSE(loop.copies.to_host(picked, made));
  EXPECT_FALSE(made.values.defined());
  EXPECT_EQ(loop.device.waits(), 0);
}

TEST(StepCopies, LeaveWhatForwardReadsFromTheCpu) {
  Loop loop;
  const at::Tensor tokens = at::arange(3, at::kLong);
  Tensors inputs{{"tokens", tokens}};
  loop.copies.to_device(inputs);
  EXPECT_TRUE(inputs[0].second.is_same(tokens));
  Result picked{.out = {{"y", at::full({1}, 1.0F)}}, .scores = {}};
  EXPECT_FALSE(loop.to_host(picked));
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
