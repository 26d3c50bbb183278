#include "tests/plugins/gemma/cuda/place_reference.h"

#include <cmath>

namespace penstock::gemma::cuda {
namespace {

constexpr int kSlots = 2;
constexpr int kTablePages = 5;  // of a slot

/// A head of a row as it leaves: normed, rotated.
std::vector<double> head_of(const PlaceParams& p, int row, int head) {
  const int half = p.head_dim / 2;
  const float* raw =
      p.raw + (std::int64_t{row} * p.all_heads() + head) * p.head_dim;
  std::vector<double> out(raw, raw + p.head_dim);
  if (head >= p.heads + p.kv_heads) return out;
  double sum = 0;
  for (const double x : out) sum += x * x;
  const double factor =
      1 / std::sqrt(sum / p.head_dim + static_cast<double>(p.epsilon));
  const float* weight = head < p.heads ? p.q_norm : p.k_norm;
  for (int i = 0; i < half; ++i) {
    const auto low = static_cast<std::size_t>(i);
    const auto high = static_cast<std::size_t>(i + half);
    const double a = out[low] * factor * double{weight[low]};
    const double b = out[high] * factor * double{weight[high]};
    const double cosine = p.rope[row * p.head_dim + 2 * i];
    const double sine = p.rope[row * p.head_dim + 2 * i + 1];
    out[low] = a * cosine - b * sine;
    out[high] = b * cosine + a * sine;
  }
  return out;
}

}  // namespace

PlaceParams make_place(Device& device, const PlaceOptions& options) {
  PlaceParams p;
  p.rows = options.rows;
  p.heads = options.heads;
  p.kv_heads = options.kv_heads;
  p.head_dim = options.head_dim;
  p.epsilon = 1e-6F;
  p.q_norm = device.floats(p.head_dim, "q_norm", 2);
  p.k_norm = device.floats(p.head_dim, "k_norm", 2);
  p.rope = device.floats(std::int64_t{p.rows} * p.head_dim, "rope");
  p.q = device.empty_floats(std::int64_t{p.rows} * p.heads * p.head_dim, "q");
  std::vector<std::int32_t> positions;
  std::vector<std::int32_t> slots;
  std::vector<std::int32_t> table;
  for (int row = 0; row < p.rows; ++row) {
    const auto at = static_cast<std::size_t>(row);
    const bool is_empty = !options.x_rows.empty() && options.x_rows[at] < 0;
    slots.push_back(row % kSlots);
    positions.push_back(is_empty ? -1 : kPageTokens - 1 + row / kSlots);
  }
  // Pages in no order.
  table.reserve(std::size_t{kSlots} * kTablePages);
  for (int i = 0; i < kSlots * kTablePages; ++i) {
    table.push_back((i * 3 + 1) % (kSlots * kTablePages));
  }
  p.positions = device.ints(positions, "positions");
  p.slots = device.ints(slots, "slots");
  p.cache.table = device.ints(table, "table");
  p.cache.table_stride = kTablePages;
  p.cache.pool = device.empty_acts(std::int64_t{kSlots} * kTablePages * 2 *
                                       p.kv_heads * kPageTokens * p.head_dim,
                                   "pool");
  return p;
}

double cached(const Device& device, const Cache& cache, int kv_heads,
              int head_dim, int slot, int position, int kind, int kv_head,
              int i) {
  const std::int64_t page =
      cache.table[slot * cache.table_stride + position / kPageTokens];
  const std::int64_t matrix = (page * 2 + kind) * kv_heads + kv_head;
  return device.number(
      cache.pool,
      (matrix * kPageTokens + position % kPageTokens) * head_dim + i);
}

void expect_placed(const Device& device, const PlaceParams& p) {
  for (int row = 0; row < p.rows; ++row) {
    if (p.positions[row] < 0) continue;
    for (int head = 0; head < p.all_heads(); ++head) {
      const auto want = head_of(p, row, head);
      for (int i = 0; i < p.head_dim; ++i) {
        const int kv = head - p.heads;
        const double got =
            kv < 0
                ? double{p.q[(row * p.heads + head) * p.head_dim + i]}
                : cached(device, p.cache, p.kv_heads, p.head_dim, p.slots[row],
                         p.positions[row], kv / p.kv_heads, kv % p.kv_heads, i);
        const double number = want[static_cast<std::size_t>(i)];
        const bool is_rounded = device.type() == NumberType::kBf16 && kv >= 0;
        ASSERT_NEAR(number, got,
                    1e-5 + (is_rounded ? std::fabs(number) * 0x1p-8 : 0))
            << "row " << row << ", head " << head << ", number " << i;
      }
    }
  }
}

std::vector<double> row_of(const Device& device, const void* from,
                           std::int64_t row, std::int64_t columns) {
  std::vector<double> out;
  for (std::int64_t i = 0; i < columns; ++i) {
    out.push_back(device.number(from, row * columns + i));
  }
  return out;
}

void expect_gated(const Device& device, const Near& gate, const Near& up,
                  double got) {
  const double x = gate.value;
  const double root = std::sqrt(2 / std::acos(-1.0));
  const double gelu =
      0.5 * x * (1 + std::tanh(root * (x + 0.044715 * x * x * x)));
  const double want = gelu * up.value;
  // The slope of gelu is at most 1.13.
  const double bound =
      1.13 * gate.bound(device.type()) * std::fabs(up.value) +
      std::fabs(gelu) * up.bound(device.type()) +
      std::fabs(want) * (device.type() == NumberType::kBf16 ? 0x1p-8 : 1e-5) +
      1e-6;
  ASSERT_NEAR(want, got, bound);
}

void expect_turn(const EmbedParams& p, int row, int i) {
  const int position = p.positions[row] < 0 ? 0 : p.positions[row];
  const std::int64_t at = (std::int64_t{row} * p.head_dim / 2 + i) * 2;
  for (const bool is_full : {true, false}) {
    const float frequency =
        is_full ? p.full_frequencies[i] : p.local_frequencies[i];
    const float* rope = is_full ? p.full_rope : p.local_rope;
    const double angle = static_cast<float>(position) * frequency;
    ASSERT_NEAR(rope[at], std::cos(angle), 1e-6);
    ASSERT_NEAR(rope[at + 1], std::sin(angle), 1e-6);
  }
}

}  // namespace penstock::gemma::cuda
