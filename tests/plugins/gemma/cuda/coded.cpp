#include "tests/plugins/gemma/cuda/coded.h"

#include <cstring>

#include "gemma/cuda/packing.h"
#include "tests/plugins/gemma/typed_model.h"

namespace penstock::gemma::cuda {
namespace {

WeightType weight_type(const std::string& name) {
  for (int i = 0;; ++i) {
    const auto type = static_cast<WeightType>(i);
    if (to_string(type) == name) return type;
  }
}

}  // namespace

bool is_exact(const std::string& gguf) {
  if (gguf.empty()) return true;
  const auto coding = *weight_coding(weight_type(gguf));
  // A minimum of four bits meets a multiple of the scale in a float.
  return coding.is_half && !(coding.has_minimum && coding.bits <= 4);
}

Numbers pack_matrix(Device& device, const WeightTensor& tensor) {
  const std::vector<const WeightTensor*> parts{&tensor};
  const MatrixPlan plan =
      plan_matrix(parts, NumberType::kBf16, /*keeps_codes=*/true);
  EXPECT_TRUE(plan.is_coded()) << tensor.name;
  auto* const begin =
      static_cast<std::byte*>(device.empty(plan.bytes(), "matrix"));
  const auto halves = [&](std::int64_t at) {
    const std::int64_t bytes = plan.rows * plan.groups() * 2;
    device.set_written(begin + at, bytes);
    return reinterpret_cast<std::uint16_t*>(begin + at);
  };
  device.set_written(begin, plan.rows * plan.row_bytes());
  PackedRows to{.numbers = begin, .scales = halves(plan.scales_at())};
  if (plan.has_minimums) to.minimums = halves(plan.minimums_at());
  pack_rows(plan, tensor, 0, plan.rows, to);
  Numbers out{plan.matrix(begin), plan.columns, {}};
  std::vector<float> numbers(
      static_cast<std::size_t>(plan.rows * plan.columns));
  dequantize(tensor, 0, plan.rows, numbers);
  out.all.assign(numbers.begin(), numbers.end());
  return out;
}

Numbers make_matrix(Device& device, const std::string& gguf, std::int64_t rows,
                    std::int64_t columns, double scale) {
  if (gguf.empty()) {
    Numbers out{device.weights(rows * columns, "weight", scale), columns, {}};
    for (std::int64_t i = 0; i < rows * columns; ++i) {
      out.all.push_back(device.number(out.matrix.numbers, i));
    }
    return out;
  }
  const auto data = typed_numbers(gguf_type(gguf), 77,
                                  static_cast<std::uint64_t>(rows * columns));
  return pack_matrix(device, {.name = gguf,
                              .type = weight_type(gguf),
                              .shape = {rows, columns},
                              .data = data});
}

Near dot(const Device& device, const std::vector<double>& row,
         const Numbers& weight, std::int64_t weight_row) {
  Near out;
  for (std::int64_t i = 0; i < weight.columns; ++i) {
    out.add(
        device.rounded(row[static_cast<std::size_t>(i)]) *
        weight.all[static_cast<std::size_t>(weight_row * weight.columns + i)]);
  }
  return out;
}

}  // namespace penstock::gemma::cuda
