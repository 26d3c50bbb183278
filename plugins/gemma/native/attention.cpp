#include "gemma/native/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "lib/kernels/size.h"

namespace penstock::gemma::native {
namespace {

constexpr float kNothing = -std::numeric_limits<float>::infinity();

using kernels::size;

}  // namespace

void PartialAttention::resize(std::int64_t rows, std::int64_t head_dim) {
  out.resize(size(rows * head_dim));
  largest.resize(size(rows));
  sums.resize(size(rows));
}

void PartialAttention::clear() {
  std::fill(out.begin(), out.end(), 0.0F);
  std::fill(largest.begin(), largest.end(), kNothing);
  std::fill(sums.begin(), sums.end(), 0.0F);
}

void PageAttention::set_queries(const float* const* rows, std::int64_t count) {
  queries_.resize(size(count * head_dim_));
  for (std::int64_t r = 0; r < count; ++r) {
    std::copy_n(rows[r], head_dim_, queries_.data() + r * head_dim_);
  }
  prepared_queries_ = prepare(queries_, count, query_rows_);
}

Activations PageAttention::prepare(std::vector<float>& x, std::int64_t rows,
                                   PreparedRows& to) const {
  Activations out;
  out.f32 = x.data();
  if (type_ == KvType::kBf16) {
    to.bf16.resize(x.size());
    kernels_.to_bf16(x.data(), std::ssize(x), to.bf16.data());
    out.bf16 = to.bf16.data();
  } else if (type_ == KvType::kInt8) {
    to.q.resize(x.size());
    to.scales.resize(size(rows));
    const std::int64_t columns = std::ssize(x) / rows;
    for (std::int64_t r = 0; r < rows; ++r) {
      to.scales[size(r)] = kernels_.quantise_row16(
          x.data() + r * columns, columns, to.q.data() + r * columns);
    }
    out.shorts = {.q = to.q.data(), .scales = to.scales.data()};
  }
  return out;
}

void PageAttention::scale_columns(const float* scales, std::int64_t width) {
  for (auto row = scores_.begin(); row != scores_.end(); row += width) {
    for (std::int64_t i = 0; i < width; ++i) row[i] *= scales[i];
  }
}

/// Turns the scores of keys [start, start + width) into exp(score - largest),
/// 0 for keys that a query does not see.
void PageAttention::set_probabilities(const Queries& queries,
                                      std::int64_t start, std::int64_t width,
                                      PartialAttention& answers) {
  for (std::int64_t r = 0; r < queries.rows(); ++r) {
    const std::int64_t position = queries.begin + r / queries.group - start;
    const std::int64_t oldest =
        queries.window == 0 ? 0 : position - queries.window + 1;
    const std::int64_t first = std::clamp<std::int64_t>(oldest, 0, width);
    const std::int64_t last = std::clamp<std::int64_t>(position + 1, 0, width);
    float* scores = scores_.data() + r * width;
    float& sum = answers.sums[size(r)];
    sum = 0;
    if (first >= last) {
      std::fill_n(scores, width, 0.0F);
      continue;
    }
    const std::int64_t whole = (last + kPanel - 1) / kPanel * kPanel;
    std::fill_n(scores, first, kNothing);
    std::fill(scores + last, scores + whole, kNothing);
    kernels_.softmax_exp(scores, whole, &answers.largest[size(r)], &sum);
    // softmax_exp() gives no exact zero: clear the hidden keys.
    std::fill_n(scores, first, 0.0F);
    std::fill(scores + last, scores + width, 0.0F);
  }
}

void PageAttention::over(const Page& page, std::int64_t index,
                         std::int64_t kv_head, const Queries& queries,
                         PartialAttention& answers) {
  const std::int64_t rows = queries.rows();
  const std::int64_t start = index * kPage;
  // Keys that some query sees, in whole panels.
  const std::int64_t oldest_seen =
      queries.window == 0 ? 0 : queries.begin - queries.window + 1 - start;
  const std::int64_t low =
      std::max<std::int64_t>(oldest_seen, 0) / kPanel * kPanel;
  const std::int64_t seen =
      std::min(kPage, queries.begin + queries.tokens - start);
  const std::int64_t width = (seen + kPanel - 1) / kPanel * kPanel - low;
  const Panels keys = page.keys(kv_head);
  scores_.resize(size(rows * width));
  kernels_.matmul[static_cast<int>(keys.kind)](
      keys, low / kPanel, (low + width) / kPanel, prepared_queries_, rows,
      scores_.data() - low, width);
  if (type_ == KvType::kInt8) {
    scale_columns(page.key_scales(kv_head) + low, width);
  }
  set_probabilities(queries, start + low, width, answers);
  if (type_ == KvType::kInt8) {
    scale_columns(page.value_scales(kv_head) + low, width);
  }
  const Panels values = page.values(kv_head, low, width);
  kernels_.matmul[static_cast<int>(values.kind)](
      values, 0, values.panels(), prepare(scores_, rows, weight_rows_), rows,
      answers.out.data(), head_dim_);
}

void merge(const Kernels& kernels, std::int64_t head_dim,
           const PartialAttention& page, PartialAttention& all) {
  for (std::size_t r = 0; r < all.sums.size(); ++r) {
    if (page.sums[r] == 0) continue;
    const float largest = std::max(all.largest[r], page.largest[r]);
    const float a = std::exp(all.largest[r] - largest);
    const float b = std::exp(page.largest[r] - largest);
    kernels.scale_add(
        all.out.data() + static_cast<std::int64_t>(r) * head_dim, a,
        page.out.data() + static_cast<std::int64_t>(r) * head_dim, b, head_dim);
    all.sums[r] = all.sums[r] * a + page.sums[r] * b;
    all.largest[r] = largest;
  }
}

}  // namespace penstock::gemma::native
