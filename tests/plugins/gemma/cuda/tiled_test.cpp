// The kernels of many rows against plain loops in double: norm, product,
// gated_product, place.
#include <ostream>

#include "gemma/cuda/shapes.h"
#include "tests/plugins/gemma/cuda/coded.h"
#include "tests/plugins/gemma/cuda/place_reference.h"
#include "tests/plugins/gemma/cuda/support.h"

namespace penstock::gemma::cuda {
namespace {

struct TileCase {
  std::string name;
  int rows = 9, outputs = 24, columns = 40;
  bool is_reversed = false;
  TileSize tiles = TileSize::kSmall;
  std::string gguf = {};  ///< type of the weights; empty: bf16
};
void PrintTo(const TileCase& c, std::ostream* os) { *os << c.name; }

std::vector<TileCase> tile_cases() {
  return {
      {.name = "one_tile"},
      {.name = "one_row", .rows = 1},
      {.name = "one_output_more", .rows = 65, .outputs = 66, .columns = 8},
      {.name = "odd_outputs", .rows = 10, .outputs = 67, .columns = 16},
      {.name = "whole_tiles", .rows = 64, .outputs = 64, .columns = 64},
      {.name = "stages", .rows = 17, .outputs = 33, .columns = 200},
      {.name = "reversed",
       .rows = 70,
       .outputs = 40,
       .columns = 136,
       .is_reversed = true},
      {.name = "large_tiles",
       .rows = 130,
       .outputs = 132,
       .columns = 168,
       .tiles = TileSize::kLarge},
      {.name = "part_of_a_large_tile",
       .rows = 9,
       .outputs = 7,
       .columns = 8,
       .is_reversed = true,
       .tiles = TileSize::kLarge},
      {.name = "many_rows", .rows = 256, .outputs = 8, .columns = 24},
      {.name = "huge_tiles",
       .rows = 130,
       .outputs = 258,
       .columns = 136,
       .tiles = TileSize::kHuge},
      {.name = "part_of_a_huge_tile",
       .rows = 9,
       .outputs = 67,
       .columns = 8,
       .is_reversed = true,
       .tiles = TileSize::kHuge},
      {.name = "narrow_groups",
       .rows = 130,
       .outputs = 258,
       .columns = 328,
       .tiles = TileSize::kNarrowGroups},
      {.name = "middle_groups",
       .rows = 100,
       .outputs = 330,
       .columns = 264,
       .tiles = TileSize::kMiddleGroups},
      {.name = "wide_groups",
       .rows = 130,
       .outputs = 258,
       .columns = 136,
       .tiles = TileSize::kWideGroups},
      {.name = "part_of_a_narrow_group",
       .rows = 9,
       .outputs = 67,
       .columns = 8,
       .is_reversed = true,
       .tiles = TileSize::kNarrowGroups},
      {.name = "part_of_a_wide_group",
       .rows = 1,
       .outputs = 7,
       .columns = 72,
       .is_reversed = true,
       .tiles = TileSize::kWideGroups},
      {.name = "whole_groups",
       .rows = 256,
       .outputs = 256,
       .columns = 64,
       .tiles = TileSize::kWideGroups},
      {.name = "stages_of_groups",
       .rows = 65,
       .outputs = 129,
       .columns = 520,
       .is_reversed = true,
       .tiles = TileSize::kNarrowGroups},
      {.name = "huge_int8",
       .rows = 20,
       .outputs = 200,
       .columns = 160,
       .tiles = TileSize::kHuge,
       .gguf = "Q8_0"},
      {.name = "huge_int4",
       .rows = 129,
       .outputs = 40,
       .columns = 96,
       .tiles = TileSize::kHuge,
       .gguf = "Q4_0"},
      {.name = "int8",
       .rows = 20,
       .outputs = 70,
       .columns = 160,
       .gguf = "Q8_0"},
      {.name = "int4",
       .rows = 20,
       .outputs = 70,
       .columns = 416,
       .gguf = "Q4_0"},
      {.name = "large_int8",
       .rows = 130,
       .outputs = 132,
       .columns = 160,
       .tiles = TileSize::kLarge,
       .gguf = "Q5_1"},
      {.name = "large_int4",
       .rows = 130,
       .outputs = 132,
       .columns = 224,
       .is_reversed = true,
       .tiles = TileSize::kLarge,
       .gguf = "Q4_1"},
      {.name = "k_int4", .outputs = 9, .columns = 256, .gguf = "Q4_K"},
      {.name = "k_int8", .outputs = 9, .columns = 256, .gguf = "Q6_K"},
  };
}

class Tiled : public ::testing::TestWithParam<TileCase> {
 protected:
  Tiled() { device_.is_reversed = GetParam().is_reversed; }
  Numbers matrix(std::int64_t outputs, double scale = 1) {
    Numbers out = make_matrix(device_, GetParam().gguf, outputs,
                              GetParam().columns, scale);
    // Codes become bf16 on their way to the tensor cores.
    for (double& number : out.all) number = device_.rounded(number);
    return out;
  }
  [[nodiscard]] const WeightKernels& kernels(const Numbers& weight) const {
    return device_.kernels().of(weight.matrix.format);
  }
  [[nodiscard]] static bool by_groups() {
    return is_of_groups(GetParam().tiles);
  }
  Device device_{NumberType::kBf16};
};

TEST_P(Tiled, ProductMultiplies) {
  const TileCase& c = GetParam();
  ProductParams p;
  p.rows = c.rows;
  p.outputs = c.outputs;
  p.columns = c.columns;
  p.in = device_.weights(std::int64_t{c.rows} * c.columns, "in");
  const Numbers weight = matrix(c.outputs);
  p.weight = weight.matrix;
  p.out = device_.empty_floats(std::int64_t{c.rows} * c.outputs, "out");
  p.tiles = c.tiles;
  device_.launch(
      by_groups() ? device_.kernels().groups.product : kernels(weight).product,
      tiled_geometry(p), p);
  for (int row = 0; row < c.rows; ++row) {
    const auto in = row_of(device_, p.in, row, c.columns);
    for (int o = 0; o < c.outputs; ++o) {
      const Near want = dot(device_, in, weight, o);
      // Scales that were rounded before are off for a whole group alike.
      const double bound = is_exact(c.gguf) ? want.bound(NumberType::kF32)
                                            : 2 * want.bound(NumberType::kBf16);
      ASSERT_NEAR(want.value, p.out[row * c.outputs + o], bound)
          << "row " << row << ", output " << o;
    }
  }
}

TEST_P(Tiled, GatedProductMultiplies) {
  const TileCase& c = GetParam();
  GatedProductParams p;
  p.rows = c.rows;
  p.ffn = (c.outputs + 7) / 8 * 8;
  p.columns = c.columns;
  p.in = device_.weights(std::int64_t{c.rows} * c.columns, "in");
  const Numbers weight = matrix(std::int64_t{2} * p.ffn, 0.3);
  p.weight = weight.matrix;
  p.out = device_.empty_acts(std::int64_t{c.rows} * p.ffn, "out");
  p.tiles = c.tiles;
  device_.launch(by_groups() ? device_.kernels().groups.gated_product
                             : kernels(weight).gated_product,
                 geometry(p), p);
  for (int row = 0; row < c.rows; ++row) {
    const auto in = row_of(device_, p.in, row, c.columns);
    for (int o = 0; o < p.ffn; ++o) {
      expect_gated(device_, dot(device_, in, weight, o),
                   dot(device_, in, weight, p.ffn + o),
                   device_.number(p.out, row * p.ffn + o));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Tiled, ::testing::ValuesIn(tile_cases()),
                         [](const auto& test) { return test.param.name; });

TEST(Norm, MakesEachRow) {
  Device device(NumberType::kBf16);
  NormParams p;
  p.in = make_residual(device, {.rows = 11,
                                .hidden = 48,
                                .x_rows = {3, 2, 1, 0, -1, 5, 6, 7, 8, 9, 12},
                                .y_rows = {0, 1, 2, 3, -1, 5, 5, 5, 8, 9, 10}});
  p.out = device.empty_acts(std::int64_t{11} * 48, "out");
  device.launch(device.kernels().norm, geometry(p), p);
  expect_kept(p.in);
  for (int row = 0; row < 11; ++row) {
    const auto want = normed(p.in, row).normed;
    for (int i = 0; i < 48; ++i) {
      const double number = want[static_cast<std::size_t>(i)];
      ASSERT_NEAR(number, device.number(p.out, row * 48 + i),
                  1e-5 + std::abs(number) * 0x1p-8);
    }
  }
}

TEST(Place, NormsRotatesAndStores) {
  for (const int heads : {1, 6}) {
    Device device(NumberType::kBf16);
    PlaceParams p = make_place(device, {.rows = 10,
                                        .heads = heads,
                                        .kv_heads = heads == 6 ? 2 : 1,
                                        .head_dim = heads == 6 ? 24 : 256,
                                        .x_rows = std::vector<std::int32_t>{
                                            0, 1, -1, 3, 4, 5, 6, 7, 8, 9}});
    p.raw = device.floats(std::int64_t{10} * p.all_heads() * p.head_dim, "raw");
    device.launch(device.kernels().place, geometry(p), p);
    expect_placed(device, p);
  }
}

}  // namespace
}  // namespace penstock::gemma::cuda
