// Reads all that a weight file says, and the first and last row of each tensor.
#pragma once

#include <filesystem>
#include <vector>

#include "penstock/error.h"
#include "penstock/weights.h"

namespace penstock::fuzz {

inline void read_all(const std::filesystem::path& path) {
  const WeightFile file = WeightFile::open(path);
  for (const auto key : file.keys()) {
    if (!file.is_array(key)) continue;
    try {
      (void)file.texts(key);
    } catch (const Error&) {
      (void)file.reals(key);
    }
  }
  for (const WeightTensor& tensor : file.tensors()) {
    const auto rows = tensor.rows();
    if (rows < 1 || tensor.columns() < 1) continue;
    std::vector<float> row(static_cast<std::size_t>(tensor.columns()));
    dequantize(tensor, 0, 1, row);
    dequantize(tensor, rows - 1, rows, row);
  }
}

}  // namespace penstock::fuzz
