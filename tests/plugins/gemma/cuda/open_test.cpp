// What a card is opened with: the kernels of its compute capability, and rows
// for the steps that the batch stage allows.
#include "gemma/cuda/open.h"

#include <gmock/gmock.h>

#include <map>

#include "penstock/parallel.h"
#include "tests/plugins/gemma/cuda/apis.h"
#include "tests/plugins/gemma/cuda/sim_engine.h"
#include "tests/plugins/gemma/support.h"

namespace penstock::gemma::cuda {
namespace {

using ::testing::Contains;
using ::testing::Not;

/// A simulated device that says it is such a card, and what was launched there.
struct FakeCard {
  int major = 9, minor = 0;
  std::vector<std::string> launched;
};
FakeCard& fake_card() {
  static FakeCard card;
  return card;
}

class CardApi final : public gpu::AroundApi {
 public:
  CardApi() : AroundApi(std::make_shared<gpu::SimulatedApi>()) {}

  gpu::DeviceFacts facts() override {
    gpu::DeviceFacts out = AroundApi::facts();
    out.major = fake_card().major;
    out.minor = fake_card().minor;
    out.has_bf16 = gpu::has_bf16(out.major);
    out.has_groups = gpu::has_groups(out.major, out.minor);
    return out;
  }
  void launch(const Kernel& kernel, const Geometry& geometry,
              std::span<const std::byte> params) override {
    fake_card().launched.emplace_back(kernel.name);
    AroundApi::launch(kernel, geometry, params);
  }
};

StageContext context_of(std::int64_t max_step_tokens, Notes& facts) {
  return {.device = at::kCUDA,
          .model = "",
          .slots = 2,
          .threads = 1,
          .max_step_tokens = max_step_tokens,
          .facts = facts};
}

/// What a prompt of 40 tokens launches on a card.
std::vector<std::string> launched_on(int major, int minor) {
  fake_card() = {major, minor, {}};
  CudaLibrary library;
  library.open = [](int) -> std::unique_ptr<gpu::DeviceApi> {
    return std::make_unique<CardApi>();
  };
  library.kernels = simulated_kernels;
  const Checkpoint model(tiny("scaled.gguf"));
  Notes facts;
  EngineForward cuda(open_engine(library, model, Dtype::kAuto, StepWay::kGraph,
                                 context_of(64, facts)));
  Sequences all(cuda, 1);
  const auto text = golden_json("tiny/tiny.json")["sequence"].get<Tokens>();
  all.at(0).tokens = {text.begin(), text.begin() + 40};
  all.at(0).want = {.top = 1, .ids = {}};
  (void)all.run_rest();
  return fake_card().launched;
}

class OpenedCards : public ::testing::Test {
 protected:
  void SetUp() override { set_threads(1); }
  void TearDown() override { set_threads(0); }
};

TEST_F(OpenedCards, GoByWarpgroupsAtComputeCapability9Alone) {
  const std::map<std::pair<int, int>, std::string> cards{
      {{7, 5}, "attention"},
      {{8, 9}, "attention_tile"},
      {{9, 0}, "group_attention"},
      {{10, 0}, "attention_tile"},
      {{12, 0}, "attention_tile"}};
  for (const auto& [card, wanted] : cards) {
    SCOPED_TRACE(::testing::Message() << card.first << '.' << card.second);
    const auto launched = launched_on(card.first, card.second);
    for (const std::string name : {"attention_tile", "group_attention",
                                   "group_product", "group_gated"}) {
      if (name == wanted) continue;
      EXPECT_THAT(launched, Not(Contains(name)));
    }
    if (wanted != "attention") {
      EXPECT_THAT(launched, Contains(wanted));
    }
  }
}

/// As many as one prompt has in a step, and not too few for small ones.
TEST(OpenedRows, AreThoseOfAStepWithinBounds) {
  const Checkpoint model(tiny("scaled.gguf"));
  Config config = model.config();
  config.context = 32768;  // so that it is not what bounds a step
  std::map<std::int64_t, std::int64_t> bytes;
  const std::map<std::int64_t, std::int32_t> wanted{{0, 2048},    {512, 2048},
                                                    {2049, 2049}, {8192, 8192},
                                                    {8193, 8192}, {kAll, 8192}};
  for (const auto& [tokens, rows] : wanted) {
    Notes facts;
    const StageContext context = context_of(tokens, facts);
    const WeightChoice weights{NumberType::kBf16, false};
    const auto options = options_of(weights, StepWay::kGraph, context);
    EXPECT_EQ(options.rows, rows) << tokens;
    EXPECT_EQ(options.chunk, tokens);
    Footprint own;
    foresee(model, config, weights, StepWay::kGraph, context, own);
    bytes[tokens] = own.bytes;
  }
  EXPECT_EQ(bytes[0], bytes[512]) << "buffers are of the rows";
  EXPECT_EQ(bytes[kAll], bytes[8192]);
  // At least the two residuals and what is added to them, of each more row.
  const std::int64_t more = 3 * 4 * config.hidden * (8192 - 2048);
  EXPECT_GE(bytes[8192], bytes[512] + more);
}

}  // namespace
}  // namespace penstock::gemma::cuda
