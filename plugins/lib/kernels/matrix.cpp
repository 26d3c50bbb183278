#include "lib/kernels/matrix.h"

#include <algorithm>
#include <array>

#include "lib/kernels/size.h"
#include "penstock/parallel.h"

namespace penstock::kernels {
namespace {

/// Neighbouring numbers of a row, as many as fit a lane.
template <class T>
struct Group {
  static constexpr std::int64_t kCount = 4 / sizeof(T);
  std::array<T, kCount> at;
};

/// Bytes of one number, and of the scale that 64 share.
std::int64_t number_bytes(PackedType kind) {
  if (kind == PackedType::kF32) return 4;
  return kind == PackedType::kInt16 ? 2 : 1;
}
std::int64_t scale_bytes(PackedType kind) {
  return kind == PackedType::kF32 ? 0 : 4;
}

/// Writes a block of 64 numbers of one lane at its place in a panel.
template <class T>
void spread(const std::array<T, kWide>& numbers, std::uint8_t* panel,
            std::int64_t block, std::int64_t lane) {
  constexpr std::int64_t kCount = Group<T>::kCount;
  auto* to = reinterpret_cast<Group<T>*>(panel) +
             block * kWide / kCount * kPanel + lane;
  const auto* from = reinterpret_cast<const Group<T>*>(numbers.data());
  for (std::int64_t i = 0; i < kWide / kCount; ++i) to[i * kPanel] = from[i];
}

/// Index of column k of a lane within its panel.
template <class T>
std::int64_t place(std::int64_t k, std::int64_t lane) {
  constexpr std::int64_t kCount = Group<T>::kCount;
  return (k / kCount * kPanel + lane) * kCount + k % kCount;
}

std::int64_t round_up(std::int64_t count, std::int64_t unit) {
  return (count + unit - 1) / unit * unit;
}

Panels plan(PackedType kind, std::int64_t rows, std::int64_t columns) {
  const std::int64_t wide = round_up(columns, kWide);
  const std::int64_t row_bytes =
      wide * number_bytes(kind) + wide / kWide * scale_bytes(kind);
  return {.kind = kind,
          .rows = round_up(rows, kPanel),
          .columns = wide,
          .panel_bytes = kPanel * row_bytes};
}

}  // namespace

std::int64_t Matrix::bytes(PackedType kind, std::int64_t rows,
                           std::int64_t columns) {
  const Panels panels = plan(kind, rows, columns);
  return panels.panels() * panels.panel_bytes;
}

Matrix::Matrix(PackedType kind, std::int64_t rows, std::int64_t columns)
    : panels_(plan(kind, rows, columns)),
      buffer_(size(bytes(kind, rows, columns))) {
  panels_.data = buffer_.data();
}

Matrix::Matrix(PackedType kind, std::int64_t rows, std::int64_t columns,
               const ReadRow& read)
    : Matrix(kind, rows, columns) {
  parallel_for(rows, kPanel, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> row(size(panels_.columns));
    for (std::int64_t r = begin; r < end; ++r) {
      read(r, {row.data(), size(columns)});
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

float* Matrix::scales(std::int64_t row) const {
  return reinterpret_cast<float*>(panel(row) + panels_.columns * kPanel *
                                                   number_bytes(panels_.kind));
}

void Matrix::set(std::int64_t row, std::int64_t block, const float* numbers) {
  const std::int64_t lane = row % kPanel;
  if (panels_.kind == PackedType::kF32) {
    auto* to =
        reinterpret_cast<float*>(panel(row)) + block * kWide * kPanel + lane;
    for (std::int64_t k = 0; k < kWide; ++k) to[k * kPanel] = numbers[k];
    return;
  }
  float* scale = scales(row) + block * kPanel + lane;
  if (panels_.kind == PackedType::kInt16) {
    std::array<std::int16_t, kWide> q{};
    best().quantise16(numbers, kWide, 0, {.q = q.data(), .scales = scale});
    spread(q, panel(row), block, lane);
  } else {
    std::array<std::int8_t, kWide> q{};
    std::int32_t start = 0;
    best().quantise8(numbers, kWide, 0,
                     {.q = q.data(), .scales = scale, .starts = &start});
    std::array<std::uint8_t, kWide> codes{};
    for (std::size_t k = 0; k < q.size(); ++k) {
      codes[k] = static_cast<std::uint8_t>(q[k] + 128);
    }
    spread(codes, panel(row), block, lane);
  }
}

void Matrix::read(std::int64_t row, std::span<float> to) const {
  const std::int64_t lane = row % kPanel;
  if (panels_.kind == PackedType::kF32) {
    const auto* from = reinterpret_cast<const float*>(panel(row)) + lane;
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = from[i * kPanel];
    return;
  }
  const auto* wide = reinterpret_cast<const std::int16_t*>(panel(row));
  const std::uint8_t* narrow = panel(row);
  for (std::size_t i = 0; i < to.size(); ++i) {
    const auto k = static_cast<std::int64_t>(i);
    const int number = panels_.kind == PackedType::kInt16
                           ? wide[place<std::int16_t>(k, lane)]
                           : narrow[place<std::uint8_t>(k, lane)] - 128;
    to[i] = static_cast<float>(number) * scales(row)[k / kWide * kPanel + lane];
  }
}

void ActivationRows::resize(std::int64_t rows, std::int64_t columns) {
  columns_ = columns;
  const auto grow = [](auto& list, std::int64_t count) {
    list.resize(std::max(list.size(), size(count)));
  };
  if (kind_ == PackedType::kF32) {
    grow(floats_, rows * columns);
    return;
  }
  grow(scales_, rows * columns / kWide);
  if (kind_ == PackedType::kInt16) {
    grow(wide_, rows * columns);
  } else {
    grow(narrow_, rows * columns);
    grow(starts_, rows * columns / kWide);
  }
}

Activations ActivationRows::all() {
  Activations all;
  all.f32 = floats_.data();
  all.wide16 = {.q = wide_.data(), .scales = scales_.data()};
  all.wide8 = {
      .q = narrow_.data(), .scales = scales_.data(), .starts = starts_.data()};
  return all;
}

void ActivationRows::set(std::int64_t row, const float* x) {
  if (kind_ == PackedType::kF32) {
    std::copy_n(x, columns_, floats_.data() + row * columns_);
  } else if (kind_ == PackedType::kInt16) {
    best().quantise16(x, columns_, row, all().wide16);
  } else {
    best().quantise8(x, columns_, row, all().wide8);
  }
}

void ActivationRows::multiply(const Panels& matrix, std::int64_t first,
                              std::int64_t last, std::int64_t n, float* y) {
  best().matmul[static_cast<int>(kind_)](matrix, first, last, all(), n, y,
                                         matrix.rows);
}

}  // namespace penstock::kernels
