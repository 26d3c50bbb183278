// Every kernel of every instruction set that this processor has, against plain
// double arithmetic, at odd sizes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>
#include <vector>

#include "lib/kernels/matrix.h"
#include "lib/kernels/packed.h"
#include "tests/plugins/lib/kernels/levels.h"

namespace penstock::kernels {
namespace {

INSTANTIATE_TEST_SUITE_P(Isa, Levels, ::testing::ValuesIn(all_levels()));

/// A random tensor of a type: random codes, sane scales.
struct RandomTensor {
  WeightTensor tensor;
  std::vector<std::byte> data;

  RandomTensor(WeightType type, std::int64_t rows, std::int64_t columns,
               Random& random) {
    const WeightBlock block = weight_block(type);
    data.resize(static_cast<std::size_t>(rows * columns / block.elements *
                                         block.bytes));
    for (auto& byte : data) byte = std::byte{random.byte()};
    // A half whose upper bits say 2^-6 .. 2^-5 wherever a half or bfloat16 may
    // lie; codes take any value.
    for (std::size_t at = 0; at < data.size();
         at += static_cast<std::size_t>(block.bytes)) {
      for (const std::int64_t half : halves(type)) {
        const auto i = at + static_cast<std::size_t>(half);
        data[i + 1] = std::byte{0x24};
      }
    }
    if (type == WeightType::kF32 || type == WeightType::kBF16) {
      plain(type, random);
    }
    tensor = {.name = std::string(to_string(type)),
              .type = type,
              .shape = {rows, columns},
              .data = data};
  }

 private:
  static std::vector<std::int64_t> halves(WeightType type) {
    switch (type) {
      case WeightType::kQ2_K:
        return {80, 82};
      case WeightType::kQ3_K:
        return {108};
      case WeightType::kQ6_K:
        return {208};
      case WeightType::kQ4_1:
      case WeightType::kQ5_1:
      case WeightType::kQ4_K:
      case WeightType::kQ5_K:
        return {0, 2};
      case WeightType::kF32:
      case WeightType::kBF16:
        return {};
      default:
        return {0};
    }
  }
  void plain(WeightType type, Random& random) {
    const std::size_t number = type == WeightType::kF32 ? 4 : 2;
    for (std::size_t at = 0; at < data.size(); at += number) {
      const float x = random.normal();
      std::memcpy(data.data() + at,
                  reinterpret_cast<const std::byte*>(&x) + 4 - number, number);
    }
  }
};

/// Random activations in every form that a matrix is multiplied with.
struct ActivationRows {
  std::vector<float> x;
  std::vector<Int8Block> int8;
  std::vector<std::uint16_t> bf16;
  Activations act;

  ActivationRows(const Kernels& table, std::int64_t n, std::int64_t columns,
                 Random& random)
      : x(random.normals(static_cast<std::size_t>(n * columns))),
        int8(x.size() / kBlock),
        bf16(x.size()) {
    table.quantise(x.data(), n * columns, int8.data());
    table.to_bf16(x.data(), n * columns, bf16.data());
    act.int8 = int8.data();
    act.bf16 = bf16.data();
    act.f32 = x.data();
  }

  /// The number that a kind multiplies with.
  [[nodiscard]] double at(PackedType kind, std::size_t i) const {
    if (kind == PackedType::kBf16) {
      const std::uint32_t bits = static_cast<std::uint32_t>(bf16[i]) << 16U;
      return std::bit_cast<float>(bits);
    }
    if (kind == PackedType::kF32 || kind == PackedType::kBf16ByF32) return x[i];
    const Int8Block& block = int8[i / kBlock];
    return static_cast<double>(block.q[i % kBlock]) *
           static_cast<double>(block.scale);
  }
};

struct Case {
  WeightType type;
  ComputeType mode;
};

const std::vector<Case> kCases = {{WeightType::kQ8_0, ComputeType::kInt8},
                                  {WeightType::kIQ4_NL, ComputeType::kInt8},
                                  {WeightType::kQ4_0, ComputeType::kInt8},
                                  {WeightType::kQ4_1, ComputeType::kInt8},
                                  {WeightType::kQ5_0, ComputeType::kInt8},
                                  {WeightType::kQ5_1, ComputeType::kInt8},
                                  {WeightType::kQ2_K, ComputeType::kInt8},
                                  {WeightType::kQ3_K, ComputeType::kInt8},
                                  {WeightType::kQ4_K, ComputeType::kInt8},
                                  {WeightType::kQ5_K, ComputeType::kInt8},
                                  {WeightType::kQ6_K, ComputeType::kInt8},
                                  {WeightType::kBF16, ComputeType::kBf16},
                                  {WeightType::kQ8_0, ComputeType::kBf16},
                                  {WeightType::kBF16, ComputeType::kF32},
                                  {WeightType::kF32, ComputeType::kF32},
                                  {WeightType::kQ5_0, ComputeType::kF32}};

TEST_P(Levels, MultiplyEveryTypeAsItsNumbers) {
  Random random(1);
  for (const Case& each : kCases) {
    for (const auto& [rows, columns, n] :
         std::vector<std::array<std::int64_t, 3>>{{16, 256, 1},
                                                  {1, 256, 3},
                                                  {37, 512, 7},
                                                  {64, 256, 17},
                                                  {16, 1280, 20},
                                                  {16, 1280, 37}}) {
      const RandomTensor weights(each.type, rows, columns, random);
      const PackedMatrix packed(weights.tensor, each.mode);
      const Panels& panels = packed.panels();
      const ActivationRows x(*table_, n, columns, random);
      const std::int64_t stride = panels.panels() * kPanel;
      std::vector<float> got(static_cast<std::size_t>(n * stride), 99);

      table_->matmul[static_cast<int>(panels.kind)](
          panels, 0, panels.panels(), x.act, n, got.data(), stride);

      std::vector<float> w(static_cast<std::size_t>(rows * columns));
      if (panels.kind == PackedType::kBf16) {
        std::vector<std::uint16_t> bits(w.size());
        dequantize_bf16(weights.tensor, 0, rows, bits);
        for (std::size_t i = 0; i < w.size(); ++i) {
          w[i] =
              std::bit_cast<float>(static_cast<std::uint32_t>(bits[i]) << 16U);
        }
      } else {
        dequantize(weights.tensor, 0, rows, w);
      }
      for (std::int64_t r = 0; r < n; ++r) {
        for (std::int64_t o = 0; o < rows; ++o) {
          double wanted = 0;
          double size = 0;
          for (std::int64_t k = 0; k < columns; ++k) {
            const auto i = static_cast<std::size_t>(r * columns + k);
            const double term = w[static_cast<std::size_t>(o * columns + k)] *
                                x.at(panels.kind, i);
            wanted += term;
            size += std::fabs(term);
          }
          ASSERT_NEAR(got[static_cast<std::size_t>(r * stride + o)], wanted,
                      2e-5 * size + 1e-6)
              << weights.tensor.name << " row " << r << " of " << n
              << ", output " << o;
        }
      }
    }
  }
}

TEST_P(Levels, GiveARowTheSameBitsAmongAnyOthers) {
  Random random(2);
  for (const Case& each : kCases) {
    // More columns than are unpacked at a time.
    const RandomTensor weights(each.type, 32, 1280, random);
    const PackedMatrix packed(weights.tensor, each.mode);
    const Panels& panels = packed.panels();
    const auto multiply = table_->matmul[static_cast<int>(panels.kind)];
    // From the codes as they are stored, alone and in pairs of tiles; unpacked.
    constexpr std::array<std::int64_t, 3> kCounts{7, 23, 39};
    const ActivationRows x(*table_, kCounts.back(), 1280, random);
    std::array<std::vector<float>, 3> together;
    for (std::size_t i = 0; i < kCounts.size(); ++i) {
      together[i].resize(static_cast<std::size_t>(kCounts[i]) * 32);
      multiply(panels, 0, 2, x.act, kCounts[i], together[i].data(), 32);
    }
    for (std::int64_t r = 0; r < kCounts.back(); ++r) {
      Activations one = x.act;
      one.int8 += r * 40;
      one.bf16 += r * 1280;
      one.f32 += r * 1280;
      std::vector<float> alone(32);
      multiply(panels, 0, 2, one, 1, alone.data(), 32);
      for (std::size_t i = 0; i < kCounts.size(); ++i) {
        if (r >= kCounts[i]) continue;
        EXPECT_THAT(
            alone, ::testing::ElementsAreArray(together[i].data() + r * 32, 32))
            << weights.tensor.name << " row " << r << " of " << kCounts[i];
      }
    }
  }
}

TEST_P(Levels, NormQuantiseAndRotateRows) {
  Random random(3);
  const auto x = random.normals(96);
  const auto weight = random.normals(96);
  std::vector<float> out(96);
  double squares = 0;
  for (const float v : x) squares += static_cast<double>(v) * v;
  table_->norm(x.data(), weight.data(), 96, 1e-6F, out.data());
  for (std::size_t i = 0; i < 96; ++i) {
    EXPECT_NEAR(out[i], x[i] / std::sqrt(squares / 96 + 1e-6) * weight[i],
                1e-5);
  }
  std::vector<float> sum = x;
  table_->add_norm(x.data(), weight.data(), 96, 1e-6F, sum.data());
  for (std::size_t i = 0; i < 96; ++i) EXPECT_NEAR(sum[i], x[i] + out[i], 1e-5);

  const ActivationRows rows(*table_, 1, 96, random);
  for (std::size_t i = 0; i < 96; ++i) {
    EXPECT_NEAR(rows.at(PackedType::kCodes8, i), rows.x[i],
                rows.int8[i / 32].scale * 0.501);
  }
  const auto angle = random.normals(32);
  std::vector<float> cos(32);
  std::vector<float> sin(32);
  for (std::size_t i = 0; i < 32; ++i) {
    cos[i] = std::cos(angle[i]);
    sin[i] = std::sin(angle[i]);
  }
  auto turned = random.normals(64);
  const auto before = turned;
  table_->rope(turned.data(), cos.data(), sin.data(), 64);
  for (std::size_t i = 0; i < 32; ++i) {
    EXPECT_NEAR(turned[i], before[i] * cos[i] - before[i + 32] * sin[i], 1e-5);
    EXPECT_NEAR(turned[i + 32], before[i + 32] * cos[i] + before[i] * sin[i],
                1e-5);
  }
}

TEST_P(Levels, ComputeGeluAndExponentials) {
  std::vector<float> gate;
  for (int i = -160; i < 160; ++i) {
    gate.push_back(static_cast<float>(i) / 8);
  }
  const std::vector<float> up(gate.size(), 2);
  std::vector<float> out(gate.size());
  table_->gelu_mul(gate.data(), up.data(), 320, out.data());
  for (std::size_t i = 0; i < gate.size(); ++i) {
    const double x = gate[i];
    const double gelu =
        0.5 * x *
        (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    EXPECT_NEAR(out[i], 2 * gelu, 1e-5 * (1 + std::fabs(x))) << x;
  }
  std::vector<float> scores = gate;
  float largest = 0;
  float sum = 0;
  table_->softmax_exp(scores.data(), 320, &largest, &sum);
  double wanted = 0;
  for (std::size_t i = 0; i < gate.size(); ++i) {
    const double e = std::exp(static_cast<double>(gate[i]) - gate.back());
    EXPECT_NEAR(scores[i], e, 1e-6 * e + 1e-30);
    wanted += e;
  }
  EXPECT_EQ(largest, gate.back());
  EXPECT_NEAR(sum, wanted, 1e-4);
}

TEST_P(Levels, NormLayersAndComputeTheExactGelu) {
  Random random(5);
  const auto x = random.normals(96);
  const auto weight = random.normals(96);
  const auto bias = random.normals(96);
  std::vector<float> out(96);
  table_->layer_norm(x.data(), weight.data(), bias.data(), 96, 1e-5F,
                     out.data());
  const double mean = std::accumulate(x.begin(), x.end(), 0.0) / 96;
  double squares = 0;
  for (const float v : x) squares += (v - mean) * (v - mean);
  for (std::size_t i = 0; i < 96; ++i) {
    const double normed = (x[i] - mean) / std::sqrt(squares / 96 + 1e-5);
    EXPECT_NEAR(out[i], normed * weight[i] + bias[i], 1e-5);
  }
  std::vector<float> gelu;
  for (int i = -160; i < 160; ++i) gelu.push_back(static_cast<float>(i) / 8);
  const std::vector<float> before = gelu;
  table_->gelu(gelu.data(), 320);
  for (std::size_t i = 0; i < gelu.size(); ++i) {
    const double wanted = before[i] * (1 + std::erf(before[i] / M_SQRT2)) / 2;
    EXPECT_NEAR(gelu[i], wanted, 3e-7 * (1 + std::fabs(before[i])));
  }
}

/// A matrix of these numbers, row by row.
Matrix packed(PackedType kind, std::int64_t rows, std::int64_t columns,
              const std::vector<float>& numbers) {
  return {kind, rows, columns, [&](std::int64_t row, std::span<float> to) {
            std::copy_n(numbers.begin() + row * columns, columns, to.begin());
          }};
}

/// A product at this level, of rows in the form that `kind` takes.
std::vector<float> multiply(const Kernels& table, const Matrix& matrix,
                            const std::vector<float>& rows, std::int64_t n) {
  const Panels& panels = matrix.panels();
  std::vector<float> x = rows;
  std::vector<std::int16_t> wide(x.size());
  std::vector<std::int8_t> narrow(x.size());
  std::vector<float> scales(x.size() / kWide);
  std::vector<std::int32_t> starts(scales.size());
  Activations act;
  act.f32 = x.data();
  act.wide16 = {.q = wide.data(), .scales = scales.data()};
  act.wide8 = {
      .q = narrow.data(), .scales = scales.data(), .starts = starts.data()};
  for (std::int64_t r = 0; r < n; ++r) {
    const float* row = x.data() + r * panels.columns;
    if (panels.kind == PackedType::kInt16) {
      table.quantise16(row, panels.columns, r, act.wide16);
    } else {
      table.quantise8(row, panels.columns, r, act.wide8);
    }
  }
  std::vector<float> y(static_cast<std::size_t>(n * panels.rows), 99);
  table.matmul[static_cast<int>(panels.kind)](panels, 0, panels.panels(), act,
                                              n, y.data(), panels.rows);
  return y;
}

TEST_P(Levels, MultiplyMatricesWrittenByBlocks) {
  Random random(6);
  // 13 bits by 13 bits and 8 by 8, of blocks whose largest is about 2.5.
  for (const auto& [kind, tolerance] :
       {std::pair{PackedType::kF32, 1e-5}, std::pair{PackedType::kInt16, 6e-3},
        std::pair{PackedType::kInt8, 6e-2}}) {
    for (const auto& [rows, columns, n] :
         std::vector<std::array<std::int64_t, 3>>{
             {16, 64, 1}, {1, 50, 3}, {37, 192, 7}, {64, 128, 35}}) {
      const auto numbers =
          random.normals(static_cast<std::size_t>(rows * columns));
      const Matrix matrix = packed(kind, rows, columns, numbers);
      const std::int64_t wide = matrix.panels().columns;
      EXPECT_EQ(wide % kWide, 0);
      const auto x = random.normals(static_cast<std::size_t>(n * wide));
      const auto y = multiply(*table_, matrix, x, n);
      for (std::int64_t r = 0; r < n; ++r) {
        for (std::int64_t o = 0; o < rows; ++o) {
          double wanted = 0;
          for (std::int64_t k = 0; k < columns; ++k) {
            wanted += static_cast<double>(
                          numbers[static_cast<std::size_t>(o * columns + k)]) *
                      x[static_cast<std::size_t>(r * wide + k)];
          }
          ASSERT_NEAR(y[static_cast<std::size_t>(r * matrix.panels().rows + o)],
                      wanted, tolerance * std::sqrt(columns))
              << "row " << r << " of " << n << ", output " << o;
        }
      }
    }
  }
}

TEST_P(Levels, GiveARowOfAMatrixTheSameBitsAmongAnyOthers) {
  Random random(7);
  for (const PackedType kind :
       {PackedType::kF32, PackedType::kInt16, PackedType::kInt8}) {
    const Matrix matrix =
        packed(kind, 32, 128, random.normals(std::size_t{32} * 128));
    const auto x = random.normals(std::size_t{35} * 128);
    const auto together = multiply(*table_, matrix, x, 35);
    for (std::int64_t r = 0; r < 35; ++r) {
      const auto alone = multiply(
          *table_, matrix, {x.begin() + r * 128, x.begin() + (r + 1) * 128}, 1);
      EXPECT_THAT(alone,
                  ::testing::ElementsAreArray(together.data() + r * 32, 32))
          << "row " << r;
    }
  }
}

/// The largest numbers there are must not run over an int32.
void multiply_bytes(const Kernels& table, std::int64_t columns) {
  Random random(5);
  std::vector<std::int8_t> codes(
      static_cast<std::size_t>(2 * kPanel * columns));
  for (auto& code : codes) code = static_cast<std::int8_t>(random.byte());
  const Panels panels{.kind = PackedType::kBytes,
                      .rows = 2 * kPanel,
                      .columns = columns,
                      .data = reinterpret_cast<std::uint8_t*>(codes.data()),
                      .panel_bytes = kPanel * columns};
  for (const std::int64_t n : {1, 3, 4, 5, 21}) {
    const auto x = random.normals(static_cast<std::size_t>(n * columns));
    std::vector<std::int16_t> q(x.size());
    std::vector<float> scales(static_cast<std::size_t>(n));
    for (std::int64_t r = 0; r < n; ++r) {
      scales[static_cast<std::size_t>(r)] = table.quantise_row16(
          x.data() + r * columns, columns, q.data() + r * columns);
    }
    for (std::size_t i = 0; i < x.size(); ++i) {
      const float scale = scales[i / static_cast<std::size_t>(columns)];
      ASSERT_NEAR(static_cast<float>(q[i]) * scale, x[i], scale * 0.51);
    }
    Activations act;
    act.shorts = {.q = q.data(), .scales = scales.data()};
    std::vector<float> got(static_cast<std::size_t>(n * 2 * kPanel));
    table.matmul[static_cast<int>(PackedType::kBytes)](panels, 0, 2, act, n,
                                                       got.data(), 2 * kPanel);
    for (std::int64_t r = 0; r < n; ++r) {
      for (std::int64_t o = 0; o < 2 * kPanel; ++o) {
        double wanted = 0;
        for (std::int64_t k = 0; k < columns; ++k) {
          const std::int64_t at = o / kPanel * kPanel * columns +
                                  k / 2 * 2 * kPanel + o % kPanel * 2 + k % 2;
          wanted += codes[static_cast<std::size_t>(at)] *
                    q[static_cast<std::size_t>(r * columns + k)];
        }
        wanted *= scales[static_cast<std::size_t>(r)];
        ASSERT_NEAR(got[static_cast<std::size_t>(r * 2 * kPanel + o)], wanted,
                    1e-6 * std::fabs(wanted) + 1e-9);
      }
    }
  }
}

TEST_P(Levels, MultiplyBytesByShortRows) {
  for (const std::int64_t columns : {16, 144}) multiply_bytes(*table_, columns);
}

TEST_P(Levels, AddUpTheLargestBlocks) {
  const std::vector<float> ones(std::size_t{16} * 64, 1);
  for (const PackedType kind : {PackedType::kInt16, PackedType::kInt8}) {
    const Matrix matrix = packed(kind, 16, 64, ones);
    for (const float y : multiply(*table_, matrix, ones, 16)) {
      EXPECT_NEAR(y, 64, 1e-4);
    }
  }
}

TEST(Matrix, GivesItsNumbersBack) {
  Random random(8);
  const auto numbers = random.normals(std::size_t{20} * 70);
  for (const auto& [kind, tolerance] :
       {std::pair{PackedType::kF32, 0.0}, std::pair{PackedType::kInt16, 4e-4},
        std::pair{PackedType::kInt8, 2e-2}}) {
    const Matrix matrix = packed(kind, 20, 70, numbers);
    EXPECT_EQ(matrix.panels().rows, 32);
    EXPECT_EQ(matrix.panels().columns, 128);
    std::vector<float> row(70);
    for (std::int64_t r = 0; r < 20; ++r) {
      matrix.read(r, row);
      for (std::size_t k = 0; k < row.size(); ++k) {
        EXPECT_NEAR(row[k], numbers[static_cast<std::size_t>(r) * 70 + k],
                    tolerance);
      }
    }
  }
}

TEST(Kernels, AreChosenByName) {
  EXPECT_STREQ(find("portable")->name, "portable");
  EXPECT_EQ(find("quantum"), nullptr);
}

}  // namespace
}  // namespace penstock::kernels
