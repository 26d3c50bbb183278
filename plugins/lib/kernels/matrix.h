// A matrix in panels (kernels.h), of floats or rounded numbers, and rows of
// activations to multiply it with. It is written block by block: weights once,
// keys and values as they come.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "lib/kernels/buffer.h"
#include "lib/kernels/kernels.h"

namespace penstock::kernels {

/// Matrix of PackedType::kF32, or rounded with a scale for 64 columns: kInt16
/// to 13 bits, kInt8 to 8.
class Matrix {
 public:
  Matrix() = default;
  /// A matrix of zeros; columns are rounded up to blocks of 64, rows to panels.
  Matrix(PackedType kind, std::int64_t rows, std::int64_t columns);
  /// Fills `to` with a row's numbers; called on all threads.
  using ReadRow = std::function<void(std::int64_t row, std::span<float> to)>;
  Matrix(PackedType kind, std::int64_t rows, std::int64_t columns,
         const ReadRow& read);

  [[nodiscard]] const Panels& panels() const { return panels_; }
  /// Panels [first, first + count) as a matrix of their own.
  [[nodiscard]] Panels panels(std::int64_t first, std::int64_t count) const;
  /// Bytes that such a matrix takes.
  [[nodiscard]] static std::int64_t bytes(PackedType kind, std::int64_t rows,
                                          std::int64_t columns);

  /// Sets columns [64 block, 64 block + 64) of a row. Threads may set different
  /// blocks at once.
  void set(std::int64_t row, std::int64_t block, const float* numbers);
  /// Reads the first to.size() numbers of a row.
  void read(std::int64_t row, std::span<float> to) const;

 private:
  [[nodiscard]] std::uint8_t* panel(std::int64_t row) const {
    return buffer_.data() + row / kPanel * panels_.panel_bytes;
  }
  [[nodiscard]] float* scales(std::int64_t row) const;

  Panels panels_;
  Buffer buffer_;
};

/// Rows of activations in the form that a matrix's type is multiplied with.
class ActivationRows {
 public:
  explicit ActivationRows(PackedType kind = PackedType::kF32) : kind_(kind) {}

  void resize(std::int64_t rows, std::int64_t columns);
  void set(std::int64_t row, const float* x);
  /// y[r, i] = row r by the matrix's row i, for its panels [first, last) and
  /// the first n rows; a row of y has a number for every row of the matrix.
  void multiply(const Panels& matrix, std::int64_t first, std::int64_t last,
                std::int64_t n, float* y);

 private:
  [[nodiscard]] Activations all();

  PackedType kind_;
  std::int64_t columns_ = 0;
  std::vector<float> floats_, scales_;
  std::vector<std::int16_t> wide_;
  std::vector<std::int8_t> narrow_;
  std::vector<std::int32_t> starts_;
};

}  // namespace penstock::kernels
