// What the vocabulary head reads of all rows, in place of the file.
//
// Rows become 8-bit codes with a half as scale for each 32 columns; those of
// Q8_0 are the file's own. A panel of 16 rows holds its scales, then of each
// block the upper halves of the codes, then the lower halves of its first
// places. Places are columns in another order: those where hidden states are
// large, by the weights of the norm before the head, come first in their block.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/buffer.h"
#include "kernels/kernels.h"
#include "penstock/weights.h"

namespace penstock::gemma::native {

using kernels::Buffer;
using kernels::HeadPlanes;
using kernels::Int8Block;
using kernels::kBlock;
using kernels::Kernels;
using kernels::kPanel;

/// The bytes of a row of an embedding.
[[nodiscard]] const std::uint8_t* row_bytes(const WeightTensor& embedding,
                                            std::int64_t id);

class Planes {
 public:
  /// As Head's constructor takes them.
  Planes(const WeightTensor& embedding, std::span<const float> norm,
         bool is_mapped);
  /// Bytes that the constructor will take.
  [[nodiscard]] static std::int64_t bytes(const WeightTensor& embedding);

  [[nodiscard]] const HeadPlanes& data() const { return data_; }
  /// By row: lengths of what the planes leave out, at other and at fine
  /// columns, and of what they hold.
  [[nodiscard]] std::array<const float*, 3> lengths() const {
    return {lengths_[0].data(), lengths_[1].data(), lengths_[2].data()};
  }
  /// A hidden state as Kernels::screen() takes it. What is returned, times a
  /// row's lengths, adds up to the most that its approximate score is off.
  std::array<float, 3> prepare(const Kernels& kernels, const float* hidden,
                               std::vector<float>& placed, Int8Block* to) const;

 private:
  class Packer;

  void choose_columns(std::span<const float> norm);
  void pack(bool is_mapped);

  const WeightTensor& embedding_;
  std::int64_t columns_;
  std::vector<std::int32_t> order_;  ///< column of the file at each place
  std::vector<std::uint8_t> fine_;   ///< groups of 8 places a block, from 0
  HeadPlanes data_;
  Buffer buffer_;
  std::array<std::vector<float>, 3> lengths_;
};

}  // namespace penstock::gemma::native
