// Rows and weights that the screened head is tried on.
#pragma once

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

namespace penstock::gemma::cuda {

/// Numbers of row `row` of the weights, or of the hidden state before its norm.
using NumberAt = std::function<float(int row, int column, float random)>;

struct ScreenCase {
  std::string name;
  int rows = 1, vocab = 200, hidden = 32, k = 1, blocks = 3;
  std::vector<std::int32_t> x_rows = {};
  std::vector<std::int32_t> wanted = {};  ///< of each row
  bool has_masks = false, is_reversed = false;
  NumberAt weights = {};  ///< none: random
  NumberAt x = {};
  float norm = 1;  ///< that all columns are multiplied by
};
inline void PrintTo(const ScreenCase& c, std::ostream* os) { *os << c.name; }

/// Random ones, of all that may be asked.
[[nodiscard]] std::vector<ScreenCase> plain_cases();
/// What is near, alike, large, small or none.
[[nodiscard]] std::vector<ScreenCase> odd_cases();

}  // namespace penstock::gemma::cuda
