#include "whisper/native/parts.h"

#include <array>
#include <limits>

namespace penstock::whisper::native {
namespace {

using kernels::kPanel;
using kernels::kWide;

/// Queries whose scores stay in the cache.
constexpr std::int64_t kQueries = 32;
static_assert(kHead == kWide && kChunk == kWide, "a block each");

std::int64_t panels_for(std::int64_t positions) {
  return (positions + kPanel - 1) / kPanel;
}

}  // namespace

WindowKv::WindowKv(const Config& config, PackedType kind)
    : positions_(config.positions),
      heads_(config.heads),
      keys_(kind, heads_ * panels_for(positions_) * kPanel, kHead),
      values_(kind, heads_ * kHead, chunks(config) * kChunk) {}

WindowKv::Scratch::Scratch(const Config& config, PackedType kind)
    : queries(kind),
      weights(kind),
      scores(size(kQueries * panels_for(config.positions) * kPanel + kChunk)),
      seen(size(kQueries * kHead)) {
  queries.resize(kQueries, kHead);
  weights.resize(kQueries, chunks(config) * kChunk);
}

std::int64_t WindowKv::bytes(const Config& c, PackedType kind) {
  return Matrix::bytes(kind, c.heads * panels_for(c.positions) * kPanel,
                       kHead) +
         Matrix::bytes(kind, c.heads * kHead, chunks(c) * kChunk);
}

void WindowKv::set(std::int64_t chunk, std::int64_t n, const float* keys,
                   const float* values, std::int64_t stride) {
  std::array<float, kChunk> turned{};
  for (std::int64_t h = 0; h < heads_; ++h) {
    const std::int64_t first = h * panels_for(positions_) * kPanel;
    for (std::int64_t r = 0; r < n; ++r) {
      keys_.set(first + chunk * kChunk + r, 0, keys + r * stride + h * kHead);
    }
    for (std::int64_t d = 0; d < kHead; ++d) {
      for (std::int64_t r = 0; r < n; ++r) {
        turned[size(r)] = values[r * stride + h * kHead + d];
      }
      values_.set(h * kHead + d, chunk, turned.data());
    }
  }
}

void WindowKv::attend(std::int64_t head, std::int64_t n, const float* queries,
                      std::int64_t stride, float* out, Scratch& scratch) const {
  const kernels::Kernels& kernels = kernels::best();
  const std::int64_t count = panels_for(positions_);
  const kernels::Panels keys = keys_.panels(head * count, count);
  const kernels::Panels values =
      values_.panels(head * kHead / kPanel, kHead / kPanel);
  std::array<float, kQueries> sums{};
  for (std::int64_t begin = 0; begin < n; begin += kQueries) {
    const std::int64_t rows = std::min(kQueries, n - begin);
    for (std::int64_t r = 0; r < rows; ++r) {
      scratch.queries.set(r, queries + (begin + r) * stride);
    }
    float* scores = scratch.scores.data();
    scratch.queries.multiply(keys, 0, count, rows, scores);
    // From the last row on, since a row's weights may reach into the next one's
    // scores, which have been used by then.
    for (std::int64_t r = rows - 1; r >= 0; --r) {
      float* own = scores + r * keys.rows;
      std::fill(own + positions_, own + keys.rows,
                -std::numeric_limits<float>::infinity());
      float largest = 0;
      kernels.softmax_exp(own, keys.rows, &largest, &sums[size(r)]);
      // softmax_exp() gives no exact zero: clear the padding.
      std::fill(own + positions_, own + values.columns, 0.0F);
      scratch.weights.set(r, own);
    }
    scratch.weights.multiply(values, 0, values.panels(), rows,
                             scratch.seen.data());
    for (std::int64_t r = 0; r < rows; ++r) {
      const float* seen = scratch.seen.data() + r * kHead;
      float* to = out + (begin + r) * stride;
      for (std::int64_t d = 0; d < kHead; ++d) {
        to[d] = seen[d] / sums[size(r)];
      }
    }
  }
}

}  // namespace penstock::whisper::native
