// The conformance kit finds what it is there to find.
#include "penstock/testing/conformance.h"

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include "tests/framework/runtime/ring_model.h"

namespace penstock::fakes {
namespace {

using TestingKit = penstock::testing::Conformance;

struct Model {
  explicit Model(bool is_stateful) : params{}, script{} {
    script.is_stateful = is_stateful;
    params.script = reinterpret_cast<std::int64_t>(&script);
    forward = std::make_unique<RingModel>(params);
    Notes facts;
    StageContext context{.device = at::kCPU,
                         .model = "",
                         .slots = 4,
                         .threads = 1,
                         .max_step_tokens = 0,
                         .facts = facts};
    forward->open(context);
  }
  RingModel::Params params;
  Script script;
  std::unique_ptr<RingModel> forward;
};

TestingKit prompts(Layout layout) {
  return {.prompts = {{3, 1, 4, 1, 5, 9, 2, 6},
                      {2, 7, 1, 8, 2, 8, 1, 8, 2, 8},
                      {1, 4, 1, 4, 2, 1, 3, 5, 6, 2, 3, 7, 3, 0, 9, 5}},
          .layout = layout,
          .tolerance = 0};
}

TEST(Conformance, ARightModelConforms) {
  for (const Layout layout : {Layout::kPacked, Layout::kPadded}) {
    Model cached(true);
    Model uncached(false);
    const auto result = penstock::testing::check_forward(
        *cached.forward, *uncached.forward, prompts(layout));
    EXPECT_TRUE(result.failures.empty()) << result.failures.front();
    EXPECT_GT(result.comparisons, 50);
  }
}

/// Forgets to cut: the classic.
class NoTruncate final : public Forward {
 public:
  explicit NoTruncate(RingModel& inner) : inner_(inner) {}
  [[nodiscard]] Caps caps() const override { return inner_.caps(); }
  [[nodiscard]] Result forward(const Step& step) override {
    Result result = inner_.forward(step);
    if (was_cut_) result.scores.full = result.scores.full + 1;
    return result;
  }
  void release(int slot) noexcept override {
    inner_.release(slot);
    was_cut_ = false;
  }
  void truncate(int slot, std::int64_t length) override {
    inner_.truncate(slot, length);
    was_cut_ = true;
  }
  void copy(int from, int to) override { inner_.copy(from, to); }

 private:
  RingModel& inner_;
  bool was_cut_ = false;
};

TEST(Conformance, AModelWrongAfterARollbackDoesNot) {
  Model cached(true);
  Model uncached(false);
  NoTruncate wrong(*cached.forward);
  const auto result = penstock::testing::check_forward(
      wrong, *uncached.forward, prompts(Layout::kPacked));
  ASSERT_FALSE(result.failures.empty());
  EXPECT_NE(result.failures.front().find("rolled back by 1"), std::string::npos)
      << result.failures.front();
}

/// Knows nothing of Want::allowed.
class NoMasks final : public Forward {
 public:
  explicit NoMasks(RingModel& inner) : inner_(inner) {}
  [[nodiscard]] Caps caps() const override { return inner_.caps(); }
  [[nodiscard]] Result forward(const Step& step) override {
    std::vector<Sequence> kept;
    for (const Slice& slice : step.slices) {
      kept.push_back(*slice.sequence);
      slice.sequence->want.allowed.clear();
    }
    Result result = inner_.forward(step);
    for (std::size_t i = 0; i < kept.size(); ++i) {
      step.slices[i].sequence->want = kept[i].want;
    }
    return result;
  }
  void release(int slot) noexcept override { inner_.release(slot); }
  void truncate(int slot, std::int64_t length) override {
    inner_.truncate(slot, length);
  }
  void copy(int from, int to) override { inner_.copy(from, to); }

 private:
  RingModel& inner_;
};

TEST(Conformance, AModelThatIgnoresAllowedTokensDoesNot) {
  Model cached(true);
  Model uncached(false);
  NoMasks wrong(*cached.forward);
  const auto result = penstock::testing::check_forward(
      wrong, *uncached.forward, prompts(Layout::kPacked));
  ASSERT_FALSE(result.failures.empty());
  EXPECT_NE(result.failures.front().find("which is not allowed"),
            std::string::npos)
      << result.failures.front();
}

}  // namespace
}  // namespace penstock::fakes
