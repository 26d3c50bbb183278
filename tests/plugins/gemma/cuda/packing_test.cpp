// Matrices of codes on the device: what the kernels read of them against what
// gguf-py dequantises (tests/fixtures/quants), and which format a matrix gets.
#include "gemma/cuda/packing.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "penstock/error.h"
#include "tests/framework/weights/quant_fixture.h"
#include "tests/plugins/gemma/cuda/coded.h"

namespace penstock::gemma::cuda {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kColumns = 512;
constexpr std::int64_t kRows = 8;

/// All rows of a matrix as `embed` reads them.
std::vector<float> read_rows(Device& device, const Numbers& weight) {
  EmbedParams p;
  std::vector<std::int32_t> ids(kRows);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    ids[i] = static_cast<std::int32_t>(i);
  }
  p.rows = kRows;
  p.hidden = kColumns;
  p.head_dim = 8;
  p.scale = 1;
  p.tokens = device.ints(ids, "tokens");
  p.positions = device.ints(ids, "positions");
  p.embedding = weight.matrix;
  p.x = device.empty_floats(kRows * kColumns, "x");
  p.full_frequencies = device.floats(4, "full");
  p.local_frequencies = device.floats(4, "local");
  p.full_rope = device.empty_floats(kRows * 8, "full_rope");
  p.local_rope = device.empty_floats(kRows * 8, "local_rope");
  device.launch(device.kernels().of(weight.matrix.format).embed, geometry(p),
                p);
  return {p.x, p.x + kRows * kColumns};
}

struct Coded {
  WeightType type;
  WeightFormat format;
  /// Of the largest number of 32 columns: how far a number may be off.
  double error;
};
void PrintTo(const Coded& c, std::ostream* os) { *os << to_string(c.type); }

class Packed : public ::testing::TestWithParam<Coded> {};

TEST_P(Packed, IsReadAsGgufPyDequantises) {
  const Coded& c = GetParam();
  const std::string name(to_string(c.type));
  const auto blocks = read_quant_fixture(name + ".in");
  const auto bytes = read_quant_fixture(name + ".out");
  std::vector<float> want(bytes.size() / sizeof(float));
  std::memcpy(want.data(), bytes.data(), bytes.size());
  ASSERT_EQ(std::ssize(want), kRows * kColumns);
  Device device(NumberType::kBf16);

  const Numbers weight = pack_matrix(device, {.name = name,
                                              .type = c.type,
                                              .shape = {kRows, kColumns},
                                              .data = blocks});

  EXPECT_EQ(weight.matrix.format, c.format);
  const auto got = read_rows(device, weight);
  for (std::size_t i = 0; i < want.size(); ++i) {
    const auto first = want.begin() + static_cast<std::ptrdiff_t>(i / 32 * 32);
    const float most = *std::max_element(
        first, first + 32,
        [](float a, float b) { return std::fabs(a) < std::fabs(b); });
    ASSERT_NEAR(got[i], want[i], c.error * std::fabs(double{most})) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, Packed,
    ::testing::Values(
        // Types with scales of 16 bits are exact.
        Coded{WeightType::kQ8_0, WeightFormat::kInt8, 0},
        Coded{WeightType::kQ4_0, WeightFormat::kInt4, 0},
        Coded{WeightType::kQ5_0, WeightFormat::kInt8, 0},
        Coded{WeightType::kIQ4_NL, WeightFormat::kInt8, 0},
        Coded{WeightType::kQ5_1, WeightFormat::kInt8, 0},
        // The minimum meets 128 times the scale in a float.
        Coded{WeightType::kQ4_1, WeightFormat::kInt4, 0x1p-17},
        // Scale and minimum are rounded to 11 bits.
        Coded{WeightType::kQ4_K, WeightFormat::kInt4, 0x1p-10},
        Coded{WeightType::kQ2_K, WeightFormat::kInt8, 0x1p-10},
        Coded{WeightType::kQ3_K, WeightFormat::kInt8, 0x1p-11},
        Coded{WeightType::kQ5_K, WeightFormat::kInt8, 0x1p-10},
        Coded{WeightType::kQ6_K, WeightFormat::kInt8, 0x1p-11}),
    [](const auto& test) { return std::string(to_string(test.param.type)); });

WeightTensor tensor(WeightType type, std::int64_t rows = 10) {
  return {.name = "w", .type = type, .shape = {rows, 512}, .data = {}};
}

TEST(Plan, KeepsFourBitsOnlyWhereAllPartsHaveThem) {
  const WeightTensor q4 = tensor(WeightType::kQ4_0);
  const WeightTensor q4_1 = tensor(WeightType::kQ4_1);
  const WeightTensor q4_k = tensor(WeightType::kQ4_K);
  const WeightTensor q6_k = tensor(WeightType::kQ6_K);
  const WeightTensor half = tensor(WeightType::kF16);
  const auto plan = [](std::vector<const WeightTensor*> parts,
                       bool keeps_codes = true) {
    return plan_matrix(parts, NumberType::kBf16, keeps_codes);
  };
  EXPECT_EQ(plan({&q4, &q4}).format, WeightFormat::kInt4);
  EXPECT_EQ(plan({&q4, &q4}).zero, 8);
  EXPECT_EQ(plan({&q4_1, &q4_k}).format, WeightFormat::kInt4);
  EXPECT_TRUE(plan({&q4_1, &q4_k}).has_minimums);
  EXPECT_EQ(plan({&q4, &q4_1}).format, WeightFormat::kInt8);
  const MatrixPlan mixed = plan({&q4_k, &q6_k});
  EXPECT_EQ(mixed.format, WeightFormat::kInt8);
  EXPECT_TRUE(mixed.has_minimums);
  EXPECT_EQ(mixed.groups(), 32) << "the finer of both";
  EXPECT_EQ(plan({&q4_k, &half}).format, WeightFormat::kPlain);
  EXPECT_FALSE(plan({&q4_k, &half}).has_minimums);
  EXPECT_EQ(plan({&q4}, false).format, WeightFormat::kPlain);
}

TEST(Plan, CountsEachPartOn256Bytes) {
  const WeightTensor q4 = tensor(WeightType::kQ4_0);
  const WeightTensor q4_1 = tensor(WeightType::kQ4_1);
  const WeightTensor q8 = tensor(WeightType::kQ8_0);
  const auto bytes = [](const WeightTensor& part, bool keeps_codes) {
    return plan_matrix(std::vector{&part}, NumberType::kBf16, keeps_codes)
        .bytes();
  };
  // 10 rows of 256 bytes of nibbles, and of 16 scales.
  EXPECT_EQ(bytes(q4, true), 2560 + 512);
  EXPECT_EQ(bytes(q4_1, true), 2560 + 512 + 512);
  EXPECT_EQ(bytes(q8, true), 5120 + 512);
  EXPECT_EQ(bytes(q8, false), 10240);
}

TEST(Packing, RefusesAScaleBeyond16Bits) {
  std::vector<std::byte> blocks(144, std::byte{0xff});  // small scales of 63
  blocks[1] = std::byte{0x7b};                          // 65504
  blocks[3] = std::byte{0};
  WeightTensor huge{.name = "blk.0.ffn_up",
                    .type = WeightType::kQ4_K,
                    .shape = {1, 256},
                    .data = blocks};
  Device device(NumberType::kBf16);
  try {
    (void)pack_matrix(device, huge);
    FAIL() << "was packed";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    EXPECT_THAT(error.what(),
                ::testing::AllOf(HasSubstr("'blk.0.ffn_up' (Q4_K), row 0"),
                                 HasSubstr("use dtype: bf16")));
  }
}

}  // namespace
}  // namespace penstock::gemma::cuda
