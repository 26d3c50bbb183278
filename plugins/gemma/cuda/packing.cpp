#include "gemma/cuda/packing.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "penstock/error.h"

namespace penstock::gemma::cuda {
namespace {

/// What tensors begin on; kernels want 16.
constexpr std::int64_t kAlign = 256;

std::int64_t aligned(std::int64_t bytes) {
  return (bytes + kAlign - 1) / kAlign * kAlign;
}

int bits_of_group(std::int64_t group) { return group == 16 ? 4 : 5; }

/// Whether such codes are kept in four bits.
bool is_four_bits(const WeightCoding& coding) {
  return coding.bits <= 4 && coding.group == 32;
}

/// Nearest, of two equally near the even one; infinite beyond what f16 holds.
std::uint16_t half_of(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t sign = bits >> 16U & 0x8000U;
  const float size = std::fabs(x);
  if (size >= 65520.0F) return static_cast<std::uint16_t>(sign | 0x7C00U);
  if (size < 0x1p-14F) {
    // A subnormal is a whole number of 2^-24, of which the float's unit is made
    // by adding.
    const float units = size + 0x1p-1F;  // 2^-24 is its last bit
    return static_cast<std::uint16_t>(
        sign | (std::bit_cast<std::uint32_t>(units) - 0x3F000000U));
  }
  const std::uint32_t kept = bits & 0x7FFFFFFFU;
  const std::uint32_t rounded = kept + 0xFFFU + (kept >> 13U & 1U);
  return static_cast<std::uint16_t>(sign | ((rounded - 0x38000000U) >> 13U));
}

/// One row's codes, scales and minimums, from the file.
struct RowCodes {
  std::vector<std::uint8_t> codes;
  std::vector<float> scales, minimums;
};

/// The word of eight columns' codes.
std::uint32_t nibbles(const std::uint8_t* codes) {
  std::uint32_t word = 0;
  for (unsigned i = 0; i < 8; ++i) {
    word |= std::uint32_t{codes[i]} << (4 * (i / 2 + i % 2 * 4));
  }
  return word;
}

void pack_codes(const MatrixPlan& plan, const RowCodes& row, int zero,
                std::byte* out) {
  const auto columns = static_cast<int>(plan.columns);
  const int unit = unit_columns(plan.format);
  for (int first = 0; first < columns; first += unit) {
    for (int place = 0; place < unit / 8; ++place) {
      const std::uint8_t* from =
          row.codes.data() + chunk_column(plan.format, place, first);
      if (plan.format == WeightFormat::kInt4) {
        const std::uint32_t word = nibbles(from);
        std::memcpy(out, &word, 4);
        out += 4;
        continue;
      }
      std::transform(from, from + 8, out, [&](std::uint8_t code) {
        return static_cast<std::byte>(code + 128 - zero);
      });
      out += 8;
    }
  }
}

/// Writes `from`, a number for each group of the file, each as often as groups
/// of the plan lie in it.
void pack_groups(const WeightTensor& tensor, std::int64_t row,
                 const std::vector<float>& from, std::int64_t times,
                 std::uint16_t* out) {
  for (const float number : from) {
    const std::uint16_t half = half_of(number);
    if ((half & 0x7FFFU) >= 0x7C00U) {
      throw Error(Code::kData,
                  str("tensor '", tensor.name, "' (", to_string(tensor.type),
                      "), row ", row, ": the scale ", number,
                      " is beyond what 16 bits hold; use dtype: bf16"));
    }
    out = std::fill_n(out, times, half);
  }
}

void pack_numbers(const MatrixPlan& plan, const WeightTensor& from,
                  std::int64_t begin, std::int64_t end, std::byte* to) {
  const auto size = static_cast<std::size_t>((end - begin) * plan.columns);
  if (plan.type == NumberType::kF32) {
    dequantize(from, begin, end, {reinterpret_cast<float*>(to), size});
  } else {
    dequantize_bf16(from, begin, end,
                    {reinterpret_cast<std::uint16_t*>(to), size});
  }
}

}  // namespace

std::int64_t MatrixPlan::row_bytes() const {
  switch (format) {
    case WeightFormat::kPlain:
      break;
    case WeightFormat::kInt8:
      return columns;
    case WeightFormat::kInt4:
      return columns / 2;
  }
  return columns * bytes_of(type);
}

std::int64_t MatrixPlan::scales_at() const {
  return aligned(rows * row_bytes());
}

std::int64_t MatrixPlan::minimums_at() const {
  return scales_at() + aligned(rows * groups() * 2);
}

std::int64_t MatrixPlan::bytes() const {
  return minimums_at() + (has_minimums ? aligned(rows * groups() * 2) : 0);
}

Matrix MatrixPlan::matrix(std::byte* begin) const {
  Matrix out(begin);
  out.format = format;
  if (!is_coded()) return out;
  out.scales = reinterpret_cast<const std::uint16_t*>(begin + scales_at());
  if (has_minimums) {
    out.minimums = static_cast<std::int32_t>((minimums_at() - scales_at()) / 2);
  }
  out.group_bits = group_bits;
  out.zero = static_cast<float>(128 + zero);
  return out;
}

MatrixPlan plan_matrix(std::span<const WeightTensor* const> parts,
                       NumberType type, bool keeps_codes) {
  MatrixPlan plan{.type = type, .columns = parts.front()->columns()};
  bool are_codes = keeps_codes;
  bool are_four_bits = true;
  const auto first = weight_coding(parts.front()->type);
  for (const WeightTensor* part : parts) {
    plan.rows += part->rows();
    const auto coding = weight_coding(part->type);
    are_codes &= coding.has_value();
    if (!are_codes) continue;
    are_four_bits &= is_four_bits(*coding) && coding->zero == first->zero;
    plan.has_minimums |= coding->has_minimum;
    plan.group_bits = std::min(plan.group_bits, bits_of_group(coding->group));
  }
  if (!are_codes) {
    plan.has_minimums = false;
    plan.group_bits = 5;
  } else if (are_four_bits) {
    plan.format = WeightFormat::kInt4;
    plan.zero = first->zero;
  } else {
    plan.format = WeightFormat::kInt8;
  }
  return plan;
}

void pack_rows(const MatrixPlan& plan, const WeightTensor& from,
               std::int64_t begin, std::int64_t end, const PackedRows& to) {
  if (!plan.is_coded()) {
    pack_numbers(plan, from, begin, end, to.numbers);
    return;
  }
  const WeightCoding coding = *weight_coding(from.type);
  const auto groups = static_cast<std::size_t>(plan.columns / coding.group);
  const std::int64_t times = plan.groups() / static_cast<std::int64_t>(groups);
  RowCodes row{
      std::vector<std::uint8_t>(static_cast<std::size_t>(plan.columns)),
      std::vector<float>(groups), std::vector<float>(groups)};
  for (std::int64_t r = begin; r < end; ++r) {
    unpack(from, r, r + 1, {row.codes, row.scales, row.minimums});
    const std::int64_t at = r - begin;
    pack_codes(plan, row, coding.zero, to.numbers + at * plan.row_bytes());
    pack_groups(from, r, row.scales, times, to.scales + at * plan.groups());
    if (plan.has_minimums) {
      pack_groups(from, r, row.minimums, times,
                  to.minimums + at * plan.groups());
    }
  }
}

}  // namespace penstock::gemma::cuda
