// From a weight file's tensors to matrices as the device has them (matrix.h):
// which format, how many bytes, and the codes moved to their places.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gemma/cuda/matrix.h"
#include "penstock/weights.h"

namespace penstock::gemma::cuda {

/// One matrix of the stacked tensors: its format and where its parts are.
///
/// Codes keep their values. Scales and minimums are f16, which is exact for the
/// types that have them so, and rounds those of K types, 2^-12 of each.
struct MatrixPlan {
  WeightFormat format = WeightFormat::kPlain;
  NumberType type = NumberType::kF32;  ///< of kPlain
  std::int64_t rows = 0, columns = 0;
  int group_bits = 5;
  int zero = 0;
  bool has_minimums = false;

  [[nodiscard]] bool is_coded() const { return format != WeightFormat::kPlain; }
  [[nodiscard]] std::int64_t row_bytes() const;  ///< of numbers or codes
  /// Of a row; 0 of plain numbers.
  [[nodiscard]] std::int64_t groups() const {
    return is_coded() ? columns >> group_bits : 0;
  }
  // From the matrix's beginning, in bytes.
  [[nodiscard]] std::int64_t scales_at() const;
  [[nodiscard]] std::int64_t minimums_at() const;
  [[nodiscard]] std::int64_t bytes() const;

  /// The matrix that begins at `begin`, of the device.
  [[nodiscard]] Matrix matrix(std::byte* begin) const;
};

/// How `parts`, of as many columns each, become one matrix. Those that are all
/// quantised stay so where `keeps_codes`: as int4 where all have four bits and
/// a scale for 32 columns, else as int8. Others become numbers of `type`.
[[nodiscard]] MatrixPlan plan_matrix(std::span<const WeightTensor* const> parts,
                                     NumberType type, bool keeps_codes);

/// Where some rows go.
struct PackedRows {
  std::byte* numbers = nullptr;  ///< or codes
  std::uint16_t* scales = nullptr;
  std::uint16_t* minimums = nullptr;
};

/// Writes rows [begin, end) of `from`, a part of the plan. Throws Error(kData)
/// naming tensor and row for numbers that are not finite, or a scale that f16
/// cannot hold. Threads may take different rows.
void pack_rows(const MatrixPlan& plan, const WeightTensor& from,
               std::int64_t begin, std::int64_t end, const PackedRows& to);

}  // namespace penstock::gemma::cuda
