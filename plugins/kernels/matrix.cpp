#include "matrix.h"

#include <algorithm>
#include <array>

#include "penstock/parallel.h"

namespace penstock::kernels {
namespace {

/// Columns 2k and 2k + 1 of a row.
struct Pair {
  std::int16_t first, second;
};

std::int64_t round_up(std::int64_t count, std::int64_t unit) {
  return (count + unit - 1) / unit * unit;
}

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

Panels plan(Kind kind, std::int64_t rows, std::int64_t columns) {
  const std::int64_t wide = round_up(columns, kWide);
  const std::int64_t row_bytes =
      kind == Kind::kF32 ? wide * 4 : wide * 2 + wide / kWide * 4;
  return {.kind = kind,
          .rows = round_up(rows, kPanel),
          .columns = wide,
          .panel_bytes = kPanel * row_bytes};
}

}  // namespace

std::int64_t Matrix::bytes(Kind kind, std::int64_t rows, std::int64_t columns) {
  const Panels panels = plan(kind, rows, columns);
  return panels.panels() * panels.panel_bytes;
}

Matrix::Matrix(Kind kind, std::int64_t rows, std::int64_t columns)
    : panels_(plan(kind, rows, columns)),
      buffer_(size(bytes(kind, rows, columns))) {
  panels_.data = buffer_.data();
}

Matrix::Matrix(Kind kind, std::int64_t rows, std::int64_t columns,
               std::span<const float> numbers)
    : Matrix(kind, rows, columns) {
  parallel_for(rows, kPanel, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> row(size(panels_.columns));
    for (std::int64_t r = begin; r < end; ++r) {
      std::copy_n(numbers.data() + r * columns, columns, row.data());
      for (std::int64_t b = 0; b < panels_.columns / kWide; ++b) {
        set(r, b, row.data() + b * kWide);
      }
    }
  });
}

Panels Matrix::panels(std::int64_t first, std::int64_t count) const {
  Panels some = panels_;
  some.data += first * some.panel_bytes;
  some.rows = count * kPanel;
  return some;
}

void Matrix::set(std::int64_t row, std::int64_t block, const float* numbers) {
  const std::int64_t lane = row % kPanel;
  if (panels_.kind == Kind::kF32) {
    auto* to =
        reinterpret_cast<float*>(panel(row)) + block * kWide * kPanel + lane;
    for (std::int64_t k = 0; k < kWide; ++k) to[k * kPanel] = numbers[k];
    return;
  }
  std::array<std::int16_t, kWide> q{};
  best().quantise16(
      numbers, kWide, 0,
      {.q = q.data(), .scales = scales(row) + block * kPanel + lane});
  auto* to =
      reinterpret_cast<Pair*>(panel(row)) + block * kWide / 2 * kPanel + lane;
  for (std::int64_t k = 0; k < kWide / 2; ++k) {
    to[k * kPanel] = {q[size(2 * k)], q[size(2 * k + 1)]};
  }
}

void Matrix::read(std::int64_t row, std::span<float> to) const {
  const std::int64_t lane = row % kPanel;
  if (panels_.kind == Kind::kF32) {
    const auto* from = reinterpret_cast<const float*>(panel(row)) + lane;
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = from[i * kPanel];
    return;
  }
  const auto* from = reinterpret_cast<const std::int16_t*>(panel(row));
  for (std::size_t i = 0; i < to.size(); ++i) {
    const auto k = static_cast<std::int64_t>(i);
    const std::int64_t place = (k / 2 * kPanel + lane) * 2 + k % 2;
    const float scale = scales(row)[k / kWide * kPanel + lane];
    to[i] = static_cast<float>(from[place]) * scale;
  }
}

void Rows::resize(std::int64_t rows, std::int64_t columns) {
  columns_ = columns;
  if (kind_ == Kind::kF32) {
    floats_.resize(std::max(floats_.size(), size(rows * columns)));
  } else {
    numbers_.resize(std::max(numbers_.size(), size(rows * columns)));
    scales_.resize(std::max(scales_.size(), size(rows * columns / kWide)));
  }
}

void Rows::set(std::int64_t row, const float* x) {
  if (kind_ == Kind::kF32) {
    std::copy_n(x, columns_, floats_.data() + row * columns_);
  } else {
    best().quantise16(x, columns_, row,
                      {.q = numbers_.data(), .scales = scales_.data()});
  }
}

void Rows::multiply(const Panels& matrix, std::int64_t first, std::int64_t last,
                    std::int64_t n, float* y) {
  Activations x;
  x.f32 = floats_.data();
  x.int16 = {.q = numbers_.data(), .scales = scales_.data()};
  best().matmul[static_cast<int>(kind_)](matrix, first, last, x, n, y,
                                         matrix.rows);
}

}  // namespace penstock::kernels
