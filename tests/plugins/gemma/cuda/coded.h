// Matrices of weights for the tests of kernels: of numbers, or of codes that
// the engine's packing made of a GGUF type's blocks.
#pragma once

#include <string>
#include <vector>

#include "penstock/weights.h"
#include "tests/plugins/gemma/cuda/support.h"

namespace penstock::gemma::cuda {

/// A matrix on the device and what its numbers are.
struct Numbers {
  Matrix matrix;
  std::int64_t columns = 0;
  std::vector<double> all;
};

/// `gguf`: the name of a type such as "Q4_0"; empty: numbers of the device's.
[[nodiscard]] Numbers make_matrix(Device& device, const std::string& gguf,
                                  std::int64_t rows, std::int64_t columns,
                                  double scale = 1);
/// The tensor as the engine packs it; its numbers by dequantize().
[[nodiscard]] Numbers pack_matrix(Device& device, const WeightTensor& tensor);

/// One row by one row of weights, the row rounded as the kernels do.
[[nodiscard]] Near dot(const Device& device, const std::vector<double>& row,
                       const Numbers& weight, std::int64_t weight_row);

/// Whether kernels read exactly the numbers of the file.
[[nodiscard]] bool is_exact(const std::string& gguf);

}  // namespace penstock::gemma::cuda
