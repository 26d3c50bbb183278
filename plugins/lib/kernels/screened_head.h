// The vocabulary head: the best k of 262,144 scores without reading all bytes.
//
// A score is the dot product, in floats and in a fixed order, of the file's
// dequantised row with the hidden state; nothing else is ever returned. To find
// which rows matter, codes of 4 and 8 bits are read (screen_codes.h). They give
// an approximate score a and a bound b with score <= a + b for certain
// (Cauchy-Schwarz over what was left out). The exact scores of the k best a
// give a floor that the k best scores reach; rows with a + b below it cannot be
// among them. The others, some hundreds, are computed exactly.
//
// Where only some ids may come, the screen looks for the best of those; where
// they are few, their rows are computed and nothing is screened.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "lib/kernels/kernels.h"
#include "lib/kernels/screen_codes.h"
#include "penstock/token_set.h"
#include "penstock/weights.h"

namespace penstock::kernels {

/// The best ids with their scores, best first; of equal scores
/// the lower id is better.
struct Best {
  std::vector<std::int64_t> ids;
  std::vector<float> scores;
};

class ScreenedHead {
 public:
  /// `embedding` [vocab, columns], or an output projection of the model's own,
  /// must stay mapped. `norm`: the weights of the
  /// norm before the head, which say where hidden states are large.
  /// `is_mapped`: from a file, whose pages may be let go once they are packed.
  ScreenedHead(const WeightTensor& embedding, std::span<const float> norm,
               const Kernels& kernels, bool is_mapped);
  ~ScreenedHead();

  /// Bytes that the constructor will take.
  [[nodiscard]] static std::int64_t bytes(const WeightTensor& embedding) {
    return ScreenCodes::bytes(embedding);
  }

  /// For each hidden state the ids that may be among its best; null, or no
  /// entry: all.
  using Allowed = std::span<const TokenSet* const>;

  /// The `k` best scores of each of `count` hidden states [count, columns];
  /// fewer where fewer are allowed.
  [[nodiscard]] std::vector<Best> best(const float* hidden, std::int64_t count,
                                       std::int64_t k, Allowed allowed = {});
  /// The exact scores of some ids, in their order: `ids.size()` rows are read
  /// and no more.
  void among(const float* hidden, std::span<const std::int64_t> ids,
             float* out) const;
  /// Every score, [count, vocab].
  void all(const float* hidden, std::int64_t count, float* out) const;
  /// Exact score of one id.
  [[nodiscard]] float score(const float* hidden, std::int64_t id) const;

  /// Number of exact scores that the last best() computed.
  [[nodiscard]] std::int64_t survivors() const { return survivors_; }

 private:
  struct Search;

  void ask_for(std::int64_t id) const;
  void screen_first(Search& search, int thread, std::int64_t begin,
                    std::int64_t end) const;
  void set_floors(Search& search, int thread, int threads) const;
  void settle(Search& search, int thread, std::int64_t begin,
              std::int64_t end) const;
  void settle(Search& search, int thread, std::int64_t row, const float* values,
              std::int64_t begin, std::int64_t end) const;

  const WeightTensor& embedding_;
  const Kernels& kernels_;
  std::int64_t vocab_, columns_;
  ScreenCodes codes_;
  std::unique_ptr<Search> search_;
  std::int64_t survivors_ = 0;
};

}  // namespace penstock::kernels
