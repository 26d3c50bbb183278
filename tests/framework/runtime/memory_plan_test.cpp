// The memory plan: what stages foresee, summed up in the order in which they
// open, and held against what there is.
#include "penstock/memory_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "tests/framework/runtime/uses.h"

namespace penstock::uses {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kOneMiB = 1 << 20;

MemoryPlan plan_of(Stages& stages, const MemoryLoad& load = {}) {
  return plan_memory(composition_of(file(stages)), {load});
}

/// What a Forward with 300 MiB of weights foresees.
Footprint large(const StageContext& context) {
  return {.bytes = 300 * kOneMiB,
          .context_length = 1000,
          .sequence_bytes =
              kOneMiB * (context.load.tokens > 0 ? context.load.tokens : 1000)};
}

TEST(MemoryPlan, CountsTheSequencesOfItsLoad) {
  Stages stages;
  stages.footprint = large;
  const MemoryPlan some = plan_of(stages, {.sequences = 2, .tokens = 50});
  EXPECT_EQ(some.peak() - some.process, (300 + 2 * 50) * kOneMiB);
  const MemoryPlan all = plan_of(stages);
  EXPECT_EQ(all.peak() - all.process, (300 + 4 * 1000) * kOneMiB)
      << "as many as the batch takes, as long as the model does";
  const MemoryPlan more = plan_of(stages, {.sequences = 99, .tokens = 1});
  EXPECT_EQ(more.peak() - more.process, (300 + 4) * kOneMiB)
      << "no more run than the batch takes";
}

TEST(MemoryPlan, HoldsWhatTheProcessHas) {
  Stages stages;
  EXPECT_GT(plan_of(stages).process, kOneMiB);
}

TEST(MemoryPlan, PeaksWhileItOpensOrWhileItRuns) {
  MemoryPlan plan;
  plan.process = 10;
  const auto add = [&](const Footprint& foreseen) {
    plan.stages.push_back({.step = "",
                           .kind = "forward",
                           .name = "a.b",
                           .device = "cpu",
                           .foreseen = foreseen,
                           .sequences = 1});
  };
  add({.bytes = 100, .opening_bytes = 500});
  EXPECT_EQ(plan.peak(), 10 + 100 + 500);
  // What the first gave back is not there any more when the second opens.
  add({.bytes = 50, .mapped_bytes = 7, .opening_bytes = 20});
  EXPECT_EQ(plan.peak(), 10 + 100 + 500);
  add({.bytes = 0, .sequence_bytes = 400, .working_bytes = 60});
  EXPECT_EQ(plan.peak(), 10 + 100 + 57 + 460);
  plan.stages[0].device = "cuda:0";
  EXPECT_EQ(plan.peak(), 10 + 57 + 460);
  EXPECT_EQ(plan.peak("cuda:0"), 600);
  EXPECT_EQ(plan.devices(), (std::vector<std::string>{"cpu", "cuda:0"}));
}

TEST(MemoryPlan, KnowsNothingOfAStageThatDoesNotSay) {
  Stages stages;
  const MemoryPlan plan = plan_of(stages);
  for (const StageMemory& each : plan.stages) {
    EXPECT_EQ(each.foreseen.is_known, each.kind == "forward") << each.kind;
    EXPECT_EQ(each.held() + each.running(), 0);
  }
}

/// What it was refused for; nothing: it fits.
std::optional<Error> refusal(const MemoryPlan& plan, std::int64_t bytes) {
  try {
    check_fits(plan, {.bytes = bytes, .source = "of a test"});
    return {};
  } catch (const Error& error) {
    return error;
  }
}

TEST(MemoryPlan, ThatDoesNotFitIsRefusedWithTheNumbers) {
  Stages stages;
  stages.footprint = large;
  MemoryPlan plan = plan_of(stages, {.sequences = 1, .tokens = 1});
  plan.process = 20 * kOneMiB;
  EXPECT_FALSE(refusal(plan, 321 * kOneMiB));
  const auto error = refusal(plan, 320 * kOneMiB);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Code::kData);
  EXPECT_THAT(error->text(),
              HasSubstr("it needs 321 MiB of memory, but there are 320 MiB of "
                        "a test: programs and libraries 20 MiB, forward (any) "
                        "301 MiB; take a smaller model"));
}

TEST(MemoryPlan, SaysWhetherSequencesOrWeightsAreTooMuch) {
  Stages stages;
  stages.footprint = large;
  const auto error = refusal(plan_of(stages), 1000 * kOneMiB);
  ASSERT_TRUE(error);
  EXPECT_THAT(error->text(), HasSubstr("(of that 4 sequences 4000 MiB)"));
  EXPECT_THAT(error->text(), HasSubstr("lower batch.max_sequences"));
}

TEST(MemoryPlan, OfWhatNoMachineHasIsRefusedByTheCheckOfAFile) {
  Stages stages;
  stages.footprint = [](const StageContext&) {
    return Footprint{.bytes = std::int64_t{1} << 60};
  };
  const PipelineFile asked = file(stages);
  EXPECT_THROW((void)check_pipeline(asked), Error);
}

}  // namespace
}  // namespace penstock::uses
