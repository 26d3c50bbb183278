// The codes that the vocabulary head reads in place of the file's rows: 4 bits
// a number, and 8 for the columns that weigh most.
//
// number = mean of its column + scale of its row * scale of its column * code
//
// The means take a fifth of the length out of every row, and cost one addition
// a score. The columns' scales are multiplied into the hidden state, so the
// products of a segment stay whole numbers until its end. Columns are ordered
// by what they add to a score: their scale times the weight of the norm before
// the head, which says where hidden states are large.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "lib/kernels/buffer.h"
#include "lib/kernels/kernels.h"
#include "penstock/weights.h"

namespace penstock::kernels {

/// Bytes of one row of an embedding.
[[nodiscard]] const std::uint8_t* row_bytes(const WeightTensor& embedding,
                                            std::int64_t id);

/// Hidden states in the form that screening takes.
class ScreenStates {
 public:
  void resize(const ScreenPanels& planes, std::int64_t count);
  [[nodiscard]] ScreenActivations view() const {
    return {.q = q_.data(),
            .scales = scales_.data(),
            .minus_sums = minus_sums_.data(),
            .constants = constants_.data()};
  }
  /// A state's factors, one for each of ScreenCodes::lengths().
  [[nodiscard]] const float* factors(std::int64_t row) const {
    return factors_.data() + row * Kernels::kBounds;
  }

 private:
  friend class ScreenCodes;

  std::vector<std::int8_t> q_;
  std::vector<float> scales_, constants_, factors_;
  std::vector<std::int32_t> minus_sums_;
};

class ScreenCodes {
 public:
  /// Packs an embedding; the arguments are those of ScreenedHead.
  ScreenCodes(const WeightTensor& embedding, std::span<const float> norm,
              const Kernels& kernels, bool is_mapped);
  /// Bytes that the constructor will take.
  [[nodiscard]] static std::int64_t bytes(const WeightTensor& embedding);

  [[nodiscard]] const ScreenPanels& data() const { return data_; }
  /// Lengths by row, as bfloat16: of what the codes leave out of fine and of
  /// coarse columns, and of what they hold of both.
  [[nodiscard]] std::array<const std::uint16_t*, Kernels::kBounds> lengths()
      const;
  /// Sets a row of `to`. Its factors times the lengths bound how far an
  /// approximate score is below the true one.
  void prepare(const float* hidden, std::int64_t row, ScreenStates& to) const;

 private:
  class Packer;

  void choose_columns(std::span<const float> norm);
  void pack(const Kernels& kernels, bool is_mapped);

  const WeightTensor& embedding_;
  // By place in the columns' order: the file's column, its mean and its scale.
  std::vector<std::int32_t> order_;
  std::vector<float> means_, scales_;
  float length_of_means_ = 0;
  ScreenPanels data_;
  Buffer buffer_;
  std::array<std::vector<std::uint16_t>, Kernels::kBounds> lengths_;
};

}  // namespace penstock::kernels
