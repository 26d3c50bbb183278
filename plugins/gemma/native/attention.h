// Attention of a few queries over the KV pages of one sequence.
//
// Each page gives a partial result with its own largest score and sum; partial
// results are merged in the order of the pages (Dao et al., 2022). So the
// attention has the same bits whether one thread took all pages or several did.
#pragma once

#include <vector>

#include "gemma/native/kv_pages.h"
#include "lib/kernels/kernels.h"

namespace penstock::gemma::native {

using kernels::Activations;
using kernels::Kernels;

/// Queries of one kv head: query head g of token t is row t * group + g.
struct Queries {
  std::int64_t begin = 0;  ///< position of the first token
  std::int64_t tokens = 0;
  std::int64_t group = 0;   ///< query heads that share the kv head
  std::int64_t window = 0;  ///< keys a token sees, itself one; 0: all

  [[nodiscard]] std::int64_t rows() const { return tokens * group; }
  /// First of the pages [first, end) that some token sees.
  [[nodiscard]] std::int64_t first_page() const {
    return window == 0 || begin < window ? 0 : (begin - window + 1) / kPage;
  }
  [[nodiscard]] std::int64_t end_page() const {
    return (begin + tokens - 1) / kPage + 1;
  }
};

/// Attention of some queries, not yet divided by `sums`.
struct PartialAttention {
  std::vector<float> out;  ///< [rows, head_dim]
  std::vector<float> largest, sums;

  void resize(std::int64_t rows, std::int64_t head_dim);
  /// Resets to no page seen.
  void clear();
};

/// Attention over one page at a time; each thread has its own.
class PageAttention {
 public:
  PageAttention(const Kernels& kernels, std::int64_t head_dim, KvType type)
      : kernels_(kernels), head_dim_(head_dim), type_(type) {}

  /// Sets the queries of the next pages: [rows, head_dim], scaled and rotated.
  void set_queries(const float* const* rows, std::int64_t count);
  /// Overwrites `answers` with the attention over one page; sums are 0 for
  /// queries that see none of its keys.
  void over(const Page& page, std::int64_t index, std::int64_t kv_head,
            const Queries& queries, PartialAttention& answers);

 private:
  /// Memory for rows of floats in the form that a page is multiplied with.
  struct PreparedRows {
    std::vector<std::uint16_t> bf16;
    std::vector<std::int16_t> q;
    std::vector<float> scales;
  };
  [[nodiscard]] Activations prepare(std::vector<float>& x, std::int64_t rows,
                                    PreparedRows& to) const;
  void scale_columns(const float* scales, std::int64_t width);
  void set_probabilities(const Queries& queries, std::int64_t start,
                         std::int64_t width, PartialAttention& answers);

  const Kernels& kernels_;
  std::int64_t head_dim_;
  KvType type_;
  std::vector<float> queries_, scores_;
  PreparedRows query_rows_, weight_rows_;
  Activations prepared_queries_;
};

/// Merges the attention over a further page into `all`.
void merge(const Kernels& kernels, std::int64_t head_dim,
           const PartialAttention& page, PartialAttention& all);

}  // namespace penstock::gemma::native
