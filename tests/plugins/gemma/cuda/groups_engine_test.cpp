// Prompts by the kernels that an H100 or H200 has, products of warpgroups, on
// the block simulator: a whole prefill gives what that by mma.sync gives, and
// is as near to the reference engine.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "penstock/parallel.h"
#include "tests/plugins/gemma/cuda/apis.h"
#include "tests/plugins/gemma/cuda/sim_engine.h"
#include "tests/plugins/gemma/support.h"

namespace penstock::gemma::cuda {
namespace {

using ::testing::Contains;
using ::testing::Not;

/// Launches every product by tiles as one by groups: the sizes of tiny models
/// ask for none of those.
class ByGroupsApi final : public gpu::AroundApi {
 public:
  using AroundApi::AroundApi;

  void launch(const Kernel& kernel, const Geometry& geometry,
              std::span<const std::byte> params) override {
    const GroupKernels& groups =
        simulated_kernels(NumberType::kBf16, /*has_groups=*/true).groups;
    const std::string_view name = kernel.name;
    launched_.emplace_back(name);
    if (name == "product") {
      const auto p = changed<ProductParams>(params, TileSize::kWideGroups);
      AroundApi::launch(groups.product, tiled_geometry(p), gpu::bytes_of(p));
    } else if (name == "gated_product") {
      const auto p =
          changed<GatedProductParams>(params, TileSize::kNarrowGroups);
      AroundApi::launch(groups.gated_product, cuda::geometry(p),
                        gpu::bytes_of(p));
    } else {
      AroundApi::launch(kernel, geometry, params);
    }
  }
  [[nodiscard]] const std::vector<std::string>& launched() const {
    return launched_;
  }

 private:
  template <class Params>
  static Params changed(std::span<const std::byte> params, TileSize tiles) {
    Params out;
    std::memcpy(&out, params.data(), sizeof(out));
    out.tiles = tiles;
    return out;
  }

  std::vector<std::string> launched_;
};

class OnGroups : public ::testing::Test {
 protected:
  void SetUp() override { set_threads(1); }
  void TearDown() override { set_threads(0); }
};

/// Scores of two sequences: prompts over the end of a page, and what follows.
at::Tensor scores_of(Forward& forward) {
  const auto text = golden_json("tiny/tiny.json")["sequence"].get<Tokens>();
  Sequences all(forward, 2);
  for (const std::size_t i : {0, 1}) {
    all.at(i).tokens = {text.begin() + static_cast<std::int64_t>(i),
                        text.begin() + 110};
    all.at(i).want = {.from = 0, .full = true, .ids = {}};
  }
  const at::Tensor prompt = all.run({91, 3}).full;
  return at::cat({prompt, all.run({9, 70}).full, all.run({10, 1}).full});
}

CudaEngine::Options bf16_options() {
  return {.type = NumberType::kBf16, .slots = 4, .chunk = 128, .rows = 128};
}

double most_apart(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}
double mean_apart(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().mean().item<double>();
}

TEST_F(OnGroups, PromptsAreAsByTiles) {
  for (const std::string name : {"scaled", "tiny_gqa"}) {
    const std::string model = tiny(name + ".gguf");
    const auto api =
        std::make_shared<ByGroupsApi>(std::make_shared<gpu::SimulatedApi>());
    EngineForward groups(
        sim_engine(model, bf16_options(), api, /*has_groups=*/true));
    EngineForward tiles(sim_engine(model, bf16_options(),
                                   std::make_shared<gpu::SimulatedApi>()));
    Driven exact(model, {.engine = "reference",
                         .dtype = "fp32",
                         .cache = true,
                         .logits = false});
    const at::Tensor got = scores_of(groups);
    const at::Tensor want = scores_of(tiles);
    const at::Tensor reference = scores_of(exact.forward());
    std::cout << name << ": from f32 " << most_apart(got, reference)
              << ", by tiles " << most_apart(want, reference) << ", apart "
              << most_apart(got, want) << "; on the mean "
              << mean_apart(got, reference) << ", "
              << mean_apart(want, reference) << ", " << mean_apart(got, want)
              << "\n";
    EXPECT_LE(most_apart(got, reference), 1.2 * most_apart(want, reference));
    EXPECT_LE(mean_apart(got, reference), 1.1 * mean_apart(want, reference));
    // Other orders of sums are roundings, of which bf16 makes as many itself.
    EXPECT_LE(most_apart(got, want), 1.2 * most_apart(want, reference));
    EXPECT_LE(mean_apart(got, want), mean_apart(want, reference));
    EXPECT_THAT(api->launched(), Contains("group_attention"));
    EXPECT_THAT(api->launched(), Contains("product"));
    EXPECT_THAT(api->launched(), Contains("gated_product"));
  }
}

/// Tiles that a kernel does not have are refused, whichever they are.
template <class Params>
void expect_own_tiles_alone(const KernelOf<Params>& by_groups,
                            const KernelOf<Params>& by_tiles,
                            const KernelOf<Params>& of_bytes) {
  const Kernels& all = simulated_kernels(NumberType::kBf16, true);
  const Kernels& plain = simulated_kernels(NumberType::kBf16, false);
  const auto refused = [](const Kernels& kernels, const Params& params) {
    EXPECT_THROW((void)product_kernel(kernels, params), Error);
  };
  for (const TileSize tiles : {TileSize::kNarrowGroups, TileSize::kMiddleGroups,
                               TileSize::kWideGroups}) {
    Params params;
    params.tiles = tiles;
    EXPECT_EQ(&product_kernel(all, params), &by_groups);
    refused(plain, params);
    params.weight.format = WeightFormat::kInt8;
    refused(all, params);
  }
  for (const TileSize tiles :
       {TileSize::kSmall, TileSize::kLarge, TileSize::kHuge}) {
    Params params;
    params.tiles = tiles;
    EXPECT_EQ(&product_kernel(all, params), &by_tiles);
    params.weight.format = WeightFormat::kInt8;
    EXPECT_EQ(&product_kernel(all, params), &of_bytes);
  }
  Params unknown;
  unknown.tiles = static_cast<TileSize>(6);
  refused(all, unknown);
}

TEST(ProductKernels, TakeTheirOwnTilesAlone) {
  const Kernels& all = simulated_kernels(NumberType::kBf16, true);
  expect_own_tiles_alone(all.groups.product, all.product, all.int8.product);
  expect_own_tiles_alone(all.groups.gated_product, all.gated_product,
                         all.int8.gated_product);
}

/// A card without them gets no kernel of theirs.
TEST_F(OnGroups, OthersDoWithout) {
  const auto text = golden_json("tiny/tiny.json")["sequence"].get<Tokens>();
  for (const bool has_groups : {false, true}) {
    const auto api = std::make_shared<gpu::RecordingApi>(
        std::make_shared<gpu::SimulatedApi>());
    EngineForward cuda(
        sim_engine(tiny("scaled.gguf"), bf16_options(), api, has_groups));
    Sequences all(cuda, 1);
    all.at(0).tokens = {text.begin(), text.begin() + 40};
    all.at(0).want = {.top = 1, .ids = {}};
    (void)all.run_rest();
    const auto launched = names(api->take());
    EXPECT_THAT(launched,
                Contains(has_groups ? "group_attention" : "attention_tile"));
    EXPECT_THAT(launched, Not(Contains(has_groups ? "attention_tile"
                                                  : "group_attention")));
  }
}

}  // namespace
}  // namespace penstock::gemma::cuda
