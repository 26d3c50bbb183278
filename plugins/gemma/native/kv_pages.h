// Keys and values of one sequence, in pages of 128 tokens.
//
// A page holds its keys and its values as the panels of kernels.h, so attention
// is two matrix products over it: scores = queries by keys, result =
// probabilities by values. Pages are shared by sequences that began alike and
// copied when one of them writes.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "gemma/config.h"
#include "lib/kernels/buffer.h"
#include "lib/kernels/kernels.h"

namespace penstock::gemma::native {

using kernels::kPanel;
using kernels::PackedType;
using kernels::Panels;

inline constexpr std::int64_t kPage = 128;  ///< tokens of a page

/// Number type of stored keys and values.
enum class KvType : std::uint8_t {
  kF32,
  kBf16,
  kInt8,  ///< bytes with a scale for each token and head
};

/// One layer's keys and values of tokens [128 p, 128 p + 128).
class Page {
 public:
  Page(const Config& config, KvType type);

  /// Keys as a matrix [128 keys, head_dim].
  [[nodiscard]] Panels keys(std::int64_t kv_head) const;
  /// Values [head_dim, count] of the keys [first, first + count), both
  /// multiples of 16.
  [[nodiscard]] Panels values(std::int64_t kv_head, std::int64_t first,
                              std::int64_t count) const;
  /// Scales [128] by token of kInt8, which the numbers of keys() lack.
  [[nodiscard]] const float* key_scales(std::int64_t kv_head) const {
    return scales(2 * kv_head);
  }
  [[nodiscard]] const float* value_scales(std::int64_t kv_head) const {
    return scales(2 * kv_head + 1);
  }
  /// Writes token `at` of the page. Threads may write different tokens at once.
  void write(std::int64_t at, std::int64_t kv_head, const float* key,
             const float* value);
  void copy_from(const Page& other);

 private:
  template <class Number>
  void write_as(std::int64_t at, std::int64_t kv_head, const Number* key,
                const Number* value);

  [[nodiscard]] float* scales(std::int64_t matrix) const;
  [[nodiscard]] Panels panels(std::int64_t matrix, std::int64_t rows,
                              std::int64_t columns) const;

  std::int64_t kv_heads_, head_dim_, matrix_bytes_;
  KvType type_;
  std::vector<std::uint8_t> data_;
  std::uint8_t* start_;  ///< of the data, on a cache line
};

class KvPages {
 public:
  /// `slack`: how many tokens truncate() can always drop.
  KvPages(const Config& config, KvType type, std::int64_t slack);

  /// Bytes of a sequence as long as the context, given in chunks.
  [[nodiscard]] static std::int64_t bytes(const Config& config, KvType type,
                                          std::int64_t slack,
                                          std::int64_t chunk);

  [[nodiscard]] std::int64_t length() const { return length_; }
  /// Makes the pages of tokens [length(), length() + count) ready to be
  /// written, and drops those that no later token can see.
  void extend(std::int64_t count);
  void truncate(std::int64_t length);
  /// Shares the pages of `other`.
  void copy_from(const KvPages& other);
  /// Of its pages, shared ones too.
  [[nodiscard]] std::int64_t held_bytes() const;

  /// Page `index` of a layer, held while some token may see it.
  [[nodiscard]] Page& page(std::int64_t layer, std::int64_t index) {
    Layer& of = layers_[static_cast<std::size_t>(layer)];
    return *of.pages[static_cast<std::size_t>(index - of.first)];
  }

 private:
  struct Layer {
    std::deque<std::shared_ptr<Page>> pages;
    std::int64_t first = 0;  ///< index of the first page held
  };

  const Config* config_;
  KvType type_;
  std::int64_t slack_, length_ = 0;
  std::vector<Layer> layers_;
};

}  // namespace penstock::gemma::native
