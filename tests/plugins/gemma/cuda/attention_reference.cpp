#include "tests/plugins/gemma/cuda/attention_reference.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "lib/gpu/block.h"
#include "tests/plugins/gemma/cuda/place_reference.h"

namespace penstock::gemma::cuda {
namespace {

using gpu::Bf16;

int first_key(int position, int window) {
  return window == 0 ? 0 : std::max(0, position - window + 1);
}

/// Writes a token's key and value of every kv head.
void fill_key(Device& device, const AttentionParams& p, int slot,
              int position) {
  const std::int64_t page =
      p.cache.table[slot * p.cache.table_stride + position / kPageTokens];
  for (std::int64_t matrix = 0; matrix < 2 * p.kv_heads; ++matrix) {
    const std::int64_t at = ((page * 2 * p.kv_heads + matrix) * kPageTokens +
                             position % kPageTokens) *
                            p.head_dim;
    auto* bytes =
        static_cast<char*>(p.cache.pool) + at * bytes_of(device.type());
    for (int i = 0; i < p.head_dim; ++i) {
      const auto number = static_cast<float>(device.random(1));
      if (device.type() == NumberType::kF32) {
        reinterpret_cast<float*>(bytes)[i] = number;
      } else {
        reinterpret_cast<Bf16*>(bytes)[i] = gpu::from_float<Bf16>(number);
      }
    }
    device.set_written(bytes,
                       std::int64_t{p.head_dim} * bytes_of(device.type()));
  }
}

void fill_cache(Device& device, const AttentionSetup& setup,
                AttentionParams& p) {
  std::set<std::pair<int, int>> keys;  // slot, position
  for (std::size_t i = 0; i < setup.positions.size(); ++i) {
    const int position = setup.positions[i];
    for (int key = first_key(position, p.window); key <= position; ++key) {
      keys.emplace(setup.slots[i], key);
    }
  }
  const int slots =
      *std::max_element(setup.slots.begin(), setup.slots.end()) + 1;
  const int most =
      *std::max_element(setup.positions.begin(), setup.positions.end());
  p.cache.table_stride = most / kPageTokens + 1;
  std::vector<std::int32_t> table(
      static_cast<std::size_t>(slots * p.cache.table_stride), -1);
  int pages = 0;
  for (const auto& [slot, key] : keys) {
    auto& page = table[static_cast<std::size_t>(slot * p.cache.table_stride +
                                                key / kPageTokens)];
    if (page < 0) page = pages++;
  }
  p.cache.table = device.ints(table, "table");
  p.cache.pool = device.empty_acts(std::int64_t{std::max(pages, 1)} * 2 *
                                       p.kv_heads * kPageTokens * p.head_dim,
                                   "pool");
  for (const auto& [slot, key] : keys) fill_key(device, p, slot, key);
}

}  // namespace

AttentionParams make_attention(Device& device, const AttentionSetup& setup) {
  const auto tokens = std::ssize(setup.positions);
  AttentionParams p;
  p.heads = setup.heads;
  p.kv_heads = setup.kv_heads;
  p.head_dim = setup.head_dim;
  p.window = setup.window;
  p.splits = setup.splits;
  p.rows =
      static_cast<int>(setup.pick.empty() ? tokens : std::ssize(setup.pick));
  p.q = device.floats(tokens * p.heads * p.head_dim, "q");
  p.positions = device.ints(setup.positions, "positions");
  p.slots = device.ints(setup.slots, "slots");
  if (!setup.pick.empty()) p.pick = device.ints(setup.pick, "pick");
  fill_cache(device, setup, p);
  const std::int64_t count = std::int64_t{p.rows} * p.heads;
  p.out = device.empty_acts(count * p.head_dim, "out");
  if (p.splits > 1) {
    p.partial = device.empty_floats(attention_partial_floats(p), "partial");
    p.tickets = device.zeros(count, "tickets");
  }
  return p;
}

void expect_attention(const Device& device, const AttentionParams& p, int row,
                      bool is_rounded) {
  const int from = p.pick == nullptr ? row : p.pick[row];
  const int position = from < 0 ? -1 : p.positions[from];
  const auto number = [&](int key, int kind, int head, int i) {
    return cached(device, p.cache, p.kv_heads, p.head_dim, p.slots[from], key,
                  kind, head / (p.heads / p.kv_heads), i);
  };
  const double part = device.type() == NumberType::kBf16 ? 0x1p-8 : 0;
  for (int head = 0; head < p.heads; ++head) {
    std::vector<double> out(static_cast<std::size_t>(p.head_dim));
    double sum = 0;
    for (int key = first_key(position, p.window); key <= position; ++key) {
      double score = 0;
      for (int i = 0; i < p.head_dim; ++i) {
        const double q{p.q[(from * p.heads + head) * p.head_dim + i]};
        score += number(key, 0, head, i) * (is_rounded ? device.rounded(q) : q);
      }
      const double weight = std::exp(score);
      sum += weight;
      for (int i = 0; i < p.head_dim; ++i) {
        out[static_cast<std::size_t>(i)] += weight * number(key, 1, head, i);
      }
    }
    for (int i = 0; i < p.head_dim; ++i) {
      const double want =
          position < 0 ? 0 : out[static_cast<std::size_t>(i)] / sum;
      const double got =
          device.number(p.out, (row * p.heads + head) * p.head_dim + i);
      // Rounded once at the end; f32 on the way, over some hundred terms. Each
      // rounded weight is off by 2^-9 of itself, values are at most 1.
      const double weights = is_rounded ? 0x1p-9 * 2 : 0;
      ASSERT_NEAR(want, got, 1e-5 + std::fabs(want) * part + weights)
          << "row " << row << ", head " << head << ", number " << i;
    }
  }
}

}  // namespace penstock::gemma::cuda
