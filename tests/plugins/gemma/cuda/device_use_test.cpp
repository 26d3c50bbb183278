// What the CUDA engine asks of its device: what a step costs, whether anything
// is read before it is there, and what happens where memory is short.
#include <ATen/TensorOperators.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "penstock/parallel.h"
#include "tests/plugins/gemma/cuda/apis.h"
#include "tests/plugins/gemma/cuda/sim_engine.h"
#include "tests/plugins/gemma/support.h"

namespace penstock::gemma::cuda {
namespace {

using gpu::FailingApi;
using gpu::RecordingApi;
using gpu::SimulatedApi;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

CudaEngine::Options options() {
  return {.type = NumberType::kF32, .slots = 4, .chunk = 64, .rows = 64};
}

std::string model() { return tiny("scaled.gguf"); }

class DeviceUse : public ::testing::Test {
 protected:
  void SetUp() override { set_threads(1); }
  void TearDown() override { set_threads(0); }
};

/// Tokens for three sequences, one a step for each.
void begin(Sequences& all, Want want) {
  for (std::size_t i = 0; i < 3; ++i) {
    all.at(i).tokens = {2, 300 + static_cast<std::int64_t>(i), 301, 302};
    all.at(i).want = want;
  }
}
void grow(Sequences& all, const Scores& scores) {
  for (std::int64_t i = 0; i < 3; ++i) {
    all.at(static_cast<std::size_t>(i))
        .tokens.push_back(scores.ids[i][0].item<std::int64_t>());
  }
}

TEST_F(DeviceUse, OfADecodingStepIsOneGraphAndOneWait) {
  auto api = std::make_shared<RecordingApi>(std::make_shared<SimulatedApi>());
  EngineForward cuda(sim_engine(model(), options(), api));
  Sequences all(cuda, 3);
  begin(all, {.top = 1, .ids = {}});
  grow(all, all.run_rest());
  (void)api->take();
  grow(all, all.run_rest());
  const auto first = api->take();
  // What was captured: tables in, launches, answers out; no more.
  std::vector<std::string> captured;
  std::size_t in = 0;
  std::size_t out = 0;
  for (const auto& call : first) {
    if (call.graph == 0) continue;
    captured.push_back(call.what);
    if (call.what == "copy_in") in += call.bytes;
    if (call.what == "copy_out") out += call.bytes;
  }
  ASSERT_FALSE(captured.empty());
  EXPECT_EQ(captured.front(), "copy_in");
  EXPECT_EQ(captured.back(), "copy_out");
  EXPECT_EQ(std::count(captured.begin(), captured.end(), "copy_in"), 1);
  EXPECT_EQ(std::count(captured.begin(), captured.end(), "copy_out"), 1);
  EXPECT_EQ(captured.size(), 2 + 1 + 5 * 2 + 2)
      << "copies, embed, five launches a layer, head and select";
  EXPECT_THAT(captured, Not(Contains("allocate")));
  EXPECT_THAT(captured, Not(Contains("wait")));
  // Four rows (three and an empty one) of token, position, slot, place, mask;
  // an id and a score of each.
  EXPECT_EQ(in, 4 * 5 * 4);
  EXPECT_EQ(out, 4 * 2 * 4);
  std::cout << "a decoding step of " << captured.size() - 2 << " launches, "
            << in << " bytes in, " << out << " out\n";
  for (int step = 0; step < 3; ++step) {
    grow(all, all.run_rest());
    EXPECT_EQ(names(api->take()), (std::vector<std::string>{"replay", "wait"}));
  }
}

/// A new page is two small copies more, once in 64 tokens.
TEST_F(DeviceUse, OfANewPageIsItsTableEntries) {
  auto api = std::make_shared<RecordingApi>(std::make_shared<SimulatedApi>());
  EngineForward cuda(sim_engine(model(), options(), api));
  Sequences all(cuda, 1);
  all.at(0).tokens.assign(63, 300);
  all.at(0).want = {.top = 1, .ids = {}};
  (void)all.run_rest();
  all.at(0).tokens.push_back(301);
  (void)all.run_rest();
  (void)api->take();
  all.at(0).tokens.push_back(302);
  (void)all.run_rest();
  const auto calls = api->take();
  EXPECT_EQ(names(calls),
            (std::vector<std::string>{"copy_in", "copy_in", "replay", "wait"}));
  EXPECT_EQ(calls[0].bytes, 4);
  EXPECT_EQ(calls[1].bytes, 4);
}

/// Prompts, forks and decoding give the same where nothing happens before it is
/// waited for.
TEST_F(DeviceUse, DoesNotReadWhatIsNotThereYet) {
  std::vector<Tokens> texts;
  for (const bool is_late : {false, true}) {
    EngineForward cuda(
        sim_engine(model(), options(),
                   std::make_shared<SimulatedApi>(
                       SimulatedApi::Options{.is_late = is_late})));
    Sequences all(cuda, 4);
    begin(all, {.top = 2, .norm = true, .ids = {}});
    Tokens text;
    for (int step = 0; step < 7; ++step) {
      if (step == 3) {
        cuda.copy(2, 3);
        all.at(3).tokens = all.at(2).tokens;
        all.at(3).cached = all.at(2).cached;
        all.at(3).want = all.at(2).want;
        all.at(3).tokens.push_back(7);
        all.at(3).want.full = true;
      }
      if (step == 5) all.at(0).want.hidden = true;
      const Scores scores = all.run_rest();
      grow(all, scores);
      if (step >= 3)
        all.at(3).tokens.push_back(scores.ids[3][0].item<std::int64_t>());
      for (std::size_t i = 0; i < 4 && !all.at(i).tokens.empty(); ++i) {
        text.push_back(all.at(i).tokens.back());
      }
    }
    texts.push_back(text);
  }
  EXPECT_EQ(texts[0], texts[1]);
}

/// The simulated device does what is in front of a mark, and no more.
TEST_F(DeviceUse, OfAMarkEndsThere) {
  SimulatedApi api({.is_late = true});
  const gpu::Memory device(api, 4);
  const gpu::Pinned host(api, 4);
  const auto seen = [&] { return int{host.as<std::uint8_t>()[0]}; };
  for (const int number : {1, 2}) {
    api.fill(device.as(), static_cast<std::uint8_t>(number), 4);
    api.copy_out(host.as(), device.as(), 4);
    api.mark(number - 1);
  }
  EXPECT_EQ(seen(), 0xff);
  api.wait_for(0);
  EXPECT_EQ(seen(), 1);
  api.wait_for(0);
  EXPECT_EQ(seen(), 1);
  api.wait_for(1);
  EXPECT_EQ(seen(), 2);
  api.begin_capture();
  EXPECT_THROW(api.mark(0), Error);
  EXPECT_THROW(api.wait_for(0), Error);
  api.destroy(api.end_capture());
}

TEST_F(DeviceUse, GivesAllBackWhereMemoryIsShort) {
  auto device = std::make_shared<SimulatedApi>();
  int failed = 0;
  for (;; ++failed) {
    auto api = std::make_shared<FailingApi>(device, failed);
    try {
      const auto engine = sim_engine(model(), options(), api);
      EXPECT_FALSE(api->has_failed());
      break;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kRetry);
      EXPECT_THAT(error.what(), HasSubstr("cudaErrorMemoryAllocation"));
    }
    ASSERT_EQ(device->blocks(), 0) << "after failure of allocation " << failed;
  }
  EXPECT_GT(failed, 20);
  EXPECT_EQ(device->blocks(), 0);
  EXPECT_EQ(device->graphs(), 0);
}

TEST_F(DeviceUse, IsComparedWithWhatIsFreeBeforeLoading) {
  auto small =
      std::make_shared<SimulatedApi>(SimulatedApi::Options{.bytes = 1 << 18});
  auto api = std::make_shared<RecordingApi>(small);
  try {
    (void)sim_engine(model(), options(), api);
    FAIL() << "fits into a quarter of a MiB";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnavailable);
    EXPECT_THAT(error.what(),
                HasSubstr("simulated device has 0 of 0 MiB free"));
    EXPECT_THAT(error.what(), HasSubstr("keys and values of one sequence"));
    EXPECT_THAT(error.what(), HasSubstr("take a smaller model"));
  }
  EXPECT_TRUE(api->take().empty());
}

/// As many pages as fit, where not all that could be used do.
TEST_F(DeviceUse, IsSharedByPagesWhereMemoryIsShort) {
  const Checkpoint checkpoint(model());
  const MemoryNeed need =
      CudaEngine::memory(checkpoint, checkpoint.config(), options(), 4);
  const std::int64_t one = need.sequence_bytes();
  const std::int64_t fixed = need.weights + need.buffers;
  const auto pages = [&](std::int64_t free) {
    return pages_that_fit(need, 4, {.free = free, .total = 0}, "card");
  };
  EXPECT_EQ(pages(fixed + 100 * one)[kFull], 4 * need.sequence[kFull]);
  EXPECT_EQ(pages(fixed + 2 * one)[kFull], 2 * need.sequence[kFull]);
  EXPECT_EQ(pages(fixed + one)[kSliding], need.sequence[kSliding]);
  EXPECT_THROW((void)pages(fixed + one - 1), Error);
  for (int slots = 1; slots < 50; ++slots) {
    EXPECT_EQ(
        pages_that_fit(need, slots, {.free = fixed + one, .total = 0}, "card"),
        need.sequence)
        << slots;
  }
}

}  // namespace
}  // namespace penstock::gemma::cuda
