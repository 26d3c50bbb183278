// The kernels of few rows against plain loops in double: embed, qkv (with what
// follows it into the cache), gate_up, product_rows; of weights of each format.
#include <cmath>
#include <ostream>

#include "tests/plugins/gemma/cuda/coded.h"
#include "tests/plugins/gemma/cuda/place_reference.h"
#include "tests/plugins/gemma/cuda/support.h"

namespace penstock::gemma::cuda {
namespace {

struct RowCase {
  std::string name;
  NumberType type = NumberType::kF32;
  int rows = 1;
  int hidden = 40, heads = 4, kv_heads = 1, head_dim = 16, ffn = 24;
  bool has_y = true;
  std::vector<std::int32_t> x_rows = {};
  bool is_reversed = false;
  std::string gguf = {};  ///< type of the weights; empty: `type`
};
void PrintTo(const RowCase& c, std::ostream* os) { *os << c.name; }

RowCase of_codes(const std::string& gguf, int rows, int hidden) {
  return {.name = gguf + "_rows_" + std::to_string(rows),
          .type = NumberType::kBf16,
          .rows = rows,
          .hidden = hidden,
          .head_dim = 8,
          .is_reversed = rows % 2 == 0,
          .gguf = gguf};
}

std::vector<RowCase> row_cases() {
  constexpr auto kBf16 = NumberType::kBf16;
  return {
      {.name = "one_row"},
      {.name = "two_rows", .rows = 2},
      {.name = "three_rows_of_bf16", .type = kBf16, .rows = 3},
      {.name = "five_rows", .rows = 5, .kv_heads = 2, .head_dim = 24},
      {.name = "eight_rows_of_bf16", .type = kBf16, .rows = 8},
      {.name = "nine_rows", .rows = 9, .hidden = 8},
      {.name = "seventeen_rows_of_bf16", .type = kBf16, .rows = 17},
      {.name = "no_y", .rows = 2, .has_y = false},
      {.name = "an_empty_row", .rows = 4, .x_rows = {2, -1, 0, 5}},
      {.name = "reversed", .rows = 9, .is_reversed = true},
      {.name = "two_hundred_fifty_six_rows",
       .rows = 256,
       .hidden = 8,
       .heads = 1,
       .head_dim = 8,
       .ffn = 8},
      {.name = "one_row_of_270m",
       .type = kBf16,
       .hidden = 640,
       .heads = 1,
       .kv_heads = 1,
       .head_dim = 256,
       .ffn = 16},
      {.name = "wide_odd_columns", .type = kBf16, .rows = 2, .hidden = 1000},
      of_codes("Q8_0", 1, 640),
      of_codes("Q8_0", 9, 96),
      of_codes("Q4_0", 1, 640),
      of_codes("Q4_0", 8, 1056),  // a lane begins anew
      of_codes("Q4_1", 3, 32),
      of_codes("Q5_0", 4, 64),
      of_codes("Q5_1", 2, 160),
      of_codes("IQ4_NL", 17, 32),
      of_codes("Q4_K", 5, 256),
      of_codes("Q6_K", 2, 512),
      of_codes("Q2_K", 1, 256),
  };
}

class Rows : public ::testing::TestWithParam<RowCase> {
 protected:
  Rows() : device_(GetParam().type) {
    device_.is_reversed = GetParam().is_reversed;
  }
  Residual residual() {
    const RowCase& c = GetParam();
    return make_residual(device_, {.rows = c.rows,
                                   .hidden = c.hidden,
                                   .has_y = c.has_y,
                                   .x_rows = c.x_rows});
  }
  Numbers matrix(std::int64_t outputs, double scale = 1) {
    return make_matrix(device_, GetParam().gguf, outputs, GetParam().hidden,
                       scale);
  }
  [[nodiscard]] const WeightKernels& kernels(const Numbers& weight) const {
    return device_.kernels().of(weight.matrix.format);
  }
  Device device_;
};

TEST_P(Rows, QkvNormsRotatesAndStores) {
  const RowCase& c = GetParam();
  QkvParams p;
  p.in = residual();
  p.place = make_place(device_, {.rows = c.rows,
                                 .heads = c.heads,
                                 .kv_heads = c.kv_heads,
                                 .head_dim = c.head_dim,
                                 .x_rows = c.x_rows});
  const int outputs = p.place.all_heads() * c.head_dim;
  p.place.raw = device_.empty_floats(std::int64_t{c.rows} * outputs, "raw");
  const Numbers weight = matrix(outputs, 0.2);
  p.weight = weight.matrix;
  p.tickets = device_.zeros(
      std::int64_t{(c.rows + kRowTile - 1) / kRowTile} * p.place.all_heads(),
      "tickets");
  device_.launch(kernels(weight).qkv, geometry(p, c.type), p);

  expect_kept(p.in);
  for (int row = 0; row < c.rows; ++row) {
    const auto state = normed(p.in, row).normed;
    for (int o = 0; o < outputs; ++o) {
      const Near want = dot(device_, state, weight, o);
      ASSERT_NEAR(want.value, p.place.raw[row * outputs + o],
                  want.bound(c.type))
          << "row " << row << ", output " << o;
    }
  }
  expect_placed(device_, p.place);
  EXPECT_EQ(p.tickets[0], 0U) << "ready for the next launch";
}

TEST_P(Rows, GateUpMultiplies) {
  const RowCase& c = GetParam();
  GateUpParams p;
  p.in = residual();
  p.ffn = c.ffn;
  const Numbers weight = matrix(std::int64_t{2} * c.ffn, 0.2);
  p.weight = weight.matrix;
  p.out = device_.empty_acts(std::int64_t{c.rows} * c.ffn, "out");
  device_.launch(kernels(weight).gate_up, geometry(p, c.type), p);

  expect_kept(p.in);
  for (int row = 0; row < c.rows; ++row) {
    const auto state = normed(p.in, row).normed;
    for (int o = 0; o < c.ffn; ++o) {
      expect_gated(device_, dot(device_, state, weight, o),
                   dot(device_, state, weight, c.ffn + o),
                   device_.number(p.out, row * c.ffn + o));
    }
  }
}

TEST_P(Rows, ProductRowsMultiplies) {
  const RowCase& c = GetParam();
  ProductParams p;
  p.rows = c.rows;
  p.outputs = c.ffn;
  p.columns = c.hidden;
  p.in = device_.weights(std::int64_t{c.rows} * c.hidden, "in");
  const Numbers weight = matrix(c.ffn);
  p.weight = weight.matrix;
  p.out = device_.empty_floats(std::int64_t{c.rows} * c.ffn, "out");
  device_.launch(kernels(weight).product_rows, rows_geometry(p), p);
  for (int row = 0; row < c.rows; ++row) {
    for (int o = 0; o < c.ffn; ++o) {
      const Near want =
          dot(device_, row_of(device_, p.in, row, c.hidden), weight, o);
      // Nothing is rounded on the way, but scales of K types.
      ASSERT_NEAR(
          want.value, p.out[row * c.ffn + o],
          want.bound(is_exact(c.gguf) ? NumberType::kF32 : NumberType::kBf16));
    }
  }
}

TEST_P(Rows, EmbedScalesAndTurns) {
  const RowCase& c = GetParam();
  const int vocab = 50;
  std::vector<std::int32_t> tokens;
  std::vector<std::int32_t> positions;
  for (int row = 0; row < c.rows; ++row) {
    tokens.push_back((row * 7 + 3) % vocab);
    positions.push_back(row % 3 == 1 ? -1 : row * 1021 % 32768);
  }
  EmbedParams p;
  p.rows = c.rows;
  p.hidden = c.hidden;
  p.head_dim = c.head_dim;
  p.scale = std::sqrt(static_cast<float>(c.hidden));
  p.tokens = device_.ints(tokens, "tokens");
  p.positions = device_.ints(positions, "positions");
  const Numbers embedding = matrix(vocab);
  p.embedding = embedding.matrix;
  p.x = device_.empty_floats(std::int64_t{c.rows} * c.hidden, "x");
  p.full_frequencies = device_.floats(c.head_dim / 2, "full");
  p.local_frequencies = device_.floats(c.head_dim / 2, "local");
  const std::int64_t count = std::int64_t{c.rows} * c.head_dim;
  p.full_rope = device_.empty_floats(count, "full_rope");
  p.local_rope = device_.empty_floats(count, "local_rope");
  device_.launch(kernels(embedding).embed, geometry(p), p);
  for (int row = 0; row < c.rows; ++row) {
    const bool is_empty = positions[static_cast<std::size_t>(row)] < 0;
    const std::int64_t token = tokens[static_cast<std::size_t>(row)];
    for (int i = 0; i < c.hidden; ++i) {
      const double x =
          embedding.all[static_cast<std::size_t>(token * c.hidden + i)];
      const float want = is_empty ? 0.0F : static_cast<float>(x) * p.scale;
      const float got = p.x[row * c.hidden + i];
      if (c.gguf.empty()) {
        ASSERT_FLOAT_EQ(got, want);
      } else {
        // packing_test.cpp is more exact.
        ASSERT_NEAR(got, want, 1e-2);
      }
    }
    for (int i = 0; i < c.head_dim / 2; ++i) {
      expect_turn(p, row, i);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Rows, ::testing::ValuesIn(row_cases()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace penstock::gemma::cuda
