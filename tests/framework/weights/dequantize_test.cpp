// Dequantising against blocks and values written by gguf-py (the files of
// tests/fixtures/quants), bit for bit, and against hand-made trouble.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <limits>

#include "penstock/error.h"
#include "penstock/weights.h"
#include "tests/framework/weights/gguf_builder.h"
#include "tests/framework/weights/quant_fixture.h"
#include "weights/half.h"

namespace penstock {
namespace {

using testing::bytes_of;
using ::testing::HasSubstr;

constexpr std::uint16_t kHalfInfinity = 0x7c00;
constexpr std::uint16_t kHalfNan = 0xfe01;

constexpr auto kNamed = [](const auto& test) {
  return std::string(to_string(test.param));
};

std::vector<std::uint32_t> bits_of(const std::vector<float>& values) {
  std::vector<std::uint32_t> bits;
  bits.reserve(values.size());
  for (const auto value : values) {
    bits.push_back(std::bit_cast<std::uint32_t>(value));
  }
  return bits;
}

class QuantFixtureTest : public ::testing::TestWithParam<WeightType> {
 protected:
  static constexpr std::int64_t kColumns = 256;

  void SetUp() override {
    const std::string name(to_string(GetParam()));
    blocks_ = read_quant_fixture(name + ".in");
    const auto out = read_quant_fixture(name + ".out");
    want_.resize(out.size() / sizeof(float));
    std::memcpy(want_.data(), out.data(), out.size());
    const auto rows = static_cast<std::int64_t>(want_.size()) / kColumns;
    ASSERT_GT(rows, 8);
    tensor_ = {.name = name,
               .type = GetParam(),
               .shape = {rows, kColumns},
               .data = blocks_};
  }

  std::vector<std::byte> blocks_;
  std::vector<float> want_;
  WeightTensor tensor_;
};

TEST_P(QuantFixtureTest, EqualsTheReferenceBitForBit) {
  std::vector<float> got(want_.size());

  dequantize(tensor_, 0, tensor_.rows(), got);

  EXPECT_EQ(bits_of(got), bits_of(want_));
}

TEST_P(QuantFixtureTest, RowsCanBeTakenFromTheMiddle) {
  std::vector<float> got(2 * kColumns);

  dequantize(tensor_, 3, 5, got);

  const auto first = want_.begin() + 3 * kColumns;
  EXPECT_EQ(bits_of(got), bits_of({first, first + 2 * kColumns}));
}

TEST_P(QuantFixtureTest, Bf16IsTheRoundedFloat) {
  std::vector<std::uint16_t> want;
  for (const auto value : want_) want.push_back(weights::float_to_bf16(value));
  std::vector<std::uint16_t> got(want.size());

  dequantize_bf16(tensor_, 0, tensor_.rows(), got);

  EXPECT_EQ(got, want);
}

TEST_P(QuantFixtureTest, Bf16OfOneLongRowIsTheSame) {
  tensor_.shape = {1, static_cast<std::int64_t>(want_.size())};
  std::vector<std::uint16_t> got(want_.size());

  dequantize_bf16(tensor_, 0, 1, got);

  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i], weights::float_to_bf16(want_[i])) << i;
  }
}

TEST_P(QuantFixtureTest, CodesGiveTheSameNumbers) {
  const auto coding = weight_coding(GetParam());
  if (!coding) {
    EXPECT_EQ(weight_block(GetParam()).elements, 1);
    return;
  }
  const auto groups = want_.size() / static_cast<std::size_t>(coding->group);
  std::vector<std::uint8_t> codes(want_.size());
  std::vector<float> scales(groups);
  std::vector<float> minimums(groups);

  unpack(tensor_, 0, tensor_.rows(),
         {.codes = codes, .scales = scales, .minimums = minimums});

  for (std::size_t i = 0; i < codes.size(); ++i) {
    const auto group = i / static_cast<std::size_t>(coding->group);
    ASSERT_LT(codes[i], 1 << coding->bits);
    const float product =
        scales[group] * static_cast<float>(codes[i] - coding->zero);
    ASSERT_EQ(product - minimums[group], want_[i]) << i;
    ASSERT_TRUE(coding->has_minimum || minimums[group] == 0) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Types, QuantFixtureTest,
                         ::testing::Values(WeightType::kF16, WeightType::kBF16,
                                           WeightType::kQ8_0, WeightType::kQ4_0,
                                           WeightType::kQ4_1, WeightType::kQ5_0,
                                           WeightType::kQ5_1, WeightType::kQ2_K,
                                           WeightType::kQ3_K, WeightType::kQ4_K,
                                           WeightType::kQ5_K, WeightType::kQ6_K,
                                           WeightType::kIQ4_NL),
                         kNamed);

TEST(Dequantize, F32IsCopied) {
  const std::vector<float> values = {1.5F, -0.0F, 1e-40F, 3e38F};
  const auto data = bytes_of(values);
  const WeightTensor tensor{
      .name = "w", .type = WeightType::kF32, .shape = {4}, .data = data};
  std::vector<float> got(4);

  dequantize(tensor, 0, 1, got);

  EXPECT_EQ(bits_of(got), bits_of(values));
}

// Two rows of one block; the scale at `at` in the second row is `scale`.
struct BadScale {
  std::string name;
  WeightType type;
  std::size_t at;
  std::uint16_t scale = kHalfInfinity;
};

void PrintTo(const BadScale& c, std::ostream* os) { *os << c.name; }

class BadScaleTest : public ::testing::TestWithParam<BadScale> {};

TEST_P(BadScaleTest, IsAnErrorThatNamesTensorAndRow) {
  const auto& c = GetParam();
  const auto block = weight_block(c.type);
  std::vector<std::byte> data(static_cast<std::size_t>(2 * block.bytes));
  std::memcpy(data.data() + block.bytes + c.at, &c.scale, sizeof(c.scale));
  const WeightTensor tensor{.name = "blk.0.w",
                            .type = c.type,
                            .shape = {2, block.elements},
                            .data = data};
  std::vector<float> floats(static_cast<std::size_t>(block.elements));
  std::vector<std::uint16_t> halves(floats.size());

  EXPECT_NO_THROW(dequantize(tensor, 0, 1, floats));
  for (const bool bf16 : {false, true}) {
    try {
      bf16 ? dequantize_bf16(tensor, 1, 2, halves)
           : dequantize(tensor, 1, 2, floats);
      FAIL() << "was read";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kData);
      EXPECT_THAT(error.what(), HasSubstr("tensor 'blk.0.w'"));
      EXPECT_THAT(error.what(), HasSubstr("row 1 holds a NaN or infinite"));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Table, BadScaleTest,
                         ::testing::ValuesIn<BadScale>({
                             {"F16", WeightType::kF16, 0},
                             {"BF16", WeightType::kBF16, 0, 0x7fc0},
                             {"F32", WeightType::kF32, 2, 0xff80},
                             {"Q8_0", WeightType::kQ8_0, 0, kHalfNan},
                             {"Q4_0", WeightType::kQ4_0, 0},
                             {"Q4_1Scale", WeightType::kQ4_1, 0},
                             {"Q4_1Minimum", WeightType::kQ4_1, 2, kHalfNan},
                             {"Q5_0", WeightType::kQ5_0, 0},
                             {"Q5_1Scale", WeightType::kQ5_1, 0},
                             {"Q5_1Minimum", WeightType::kQ5_1, 2},
                             {"Q2_KScale", WeightType::kQ2_K, 80},
                             {"Q2_KMinimum", WeightType::kQ2_K, 82},
                             {"Q3_K", WeightType::kQ3_K, 108},
                             {"Q4_KScale", WeightType::kQ4_K, 0},
                             {"Q4_KMinimum", WeightType::kQ4_K, 2},
                             {"Q5_KScale", WeightType::kQ5_K, 0},
                             {"Q5_KMinimum", WeightType::kQ5_K, 2, kHalfNan},
                             {"Q6_K", WeightType::kQ6_K, 208},
                             {"IQ4_NL", WeightType::kIQ4_NL, 0},
                         }),
                         [](const auto& test) { return test.param.name; });

TEST(Dequantize, LargestScaleStaysFinite) {
  std::vector<std::byte> data(34, std::byte{0x80});  // -128 throughout
  constexpr std::uint16_t kLargest = 0x7bff;         // 65504
  std::memcpy(data.data(), &kLargest, sizeof(kLargest));
  const WeightTensor tensor{
      .name = "w", .type = WeightType::kQ8_0, .shape = {32}, .data = data};
  std::vector<float> got(32);

  dequantize(tensor, 0, 1, got);

  EXPECT_EQ(got.front(), -128.0F * 65504.0F);
}

struct BadCall {
  std::string name;
  std::int64_t begin;
  std::int64_t end;
  std::size_t room;
  std::size_t data = 68;
};

void PrintTo(const BadCall& c, std::ostream* os) { *os << c.name; }

class BadCallTest : public ::testing::TestWithParam<BadCall> {};

TEST_P(BadCallTest, IsAnInternalError) {
  const std::vector<std::byte> data(GetParam().data);
  const WeightTensor tensor{
      .name = "w", .type = WeightType::kQ8_0, .shape = {2, 32}, .data = data};
  std::vector<float> out(GetParam().room);

  try {
    dequantize(tensor, GetParam().begin, GetParam().end, out);
    FAIL() << "was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInternal);
  }
}

INSTANTIATE_TEST_SUITE_P(Table, BadCallTest,
                         ::testing::ValuesIn<BadCall>({
                             {"RowBelowZero", -1, 1, 64},
                             {"RowPastTheEnd", 1, 3, 64},
                             {"RowsBackwards", 2, 1, 0},
                             {"TooLittleRoom", 0, 2, 63},
                             {"TooMuchRoom", 0, 1, 64},
                             {"DataShorterThanShape", 0, 2, 64, 67},
                         }),
                         [](const auto& test) { return test.param.name; });

TEST(Dequantize, NoRowsIsNothingToDo) {
  const std::vector<std::byte> data(68);
  const WeightTensor tensor{
      .name = "w", .type = WeightType::kQ8_0, .shape = {2, 32}, .data = data};

  EXPECT_NO_THROW(dequantize(tensor, 1, 1, {}));
}

}  // namespace
}  // namespace penstock
