// What the vocabulary head reads of all rows, in place of the file: codes of 4
// bits, and of 8 for the columns that weigh most.
//
// number = mean of its column + scale of its row * scale of its column * code
//
// The means take a fifth of the length out of every row, and cost one addition
// a score. The columns' scales go into the hidden state, so a product is
// nothing but whole numbers until the end of a segment. Columns stand in the
// order of what they add to a score: by their scale, times the weight of the
// norm before the head, which says where hidden states are large.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "lib/kernels/buffer.h"
#include "lib/kernels/kernels.h"
#include "penstock/weights.h"

namespace penstock::kernels {

/// The bytes of a row of an embedding.
[[nodiscard]] const std::uint8_t* row_bytes(const WeightTensor& embedding,
                                            std::int64_t id);

/// Hidden states, ready to be screened.
class ScreenStates {
 public:
  void resize(const ScreenPanels& planes, std::int64_t count);
  [[nodiscard]] ScreenActivations view() const {
    return {.q = q_.data(),
            .scales = scales_.data(),
            .minus_sums = minus_sums_.data(),
            .constants = constants_.data()};
  }
  /// Of ScreenCodes::lengths().
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
  /// As ScreenedHead's constructor takes them.
  ScreenCodes(const WeightTensor& embedding, std::span<const float> norm,
              const Kernels& kernels, bool is_mapped);
  /// Bytes that the constructor will take.
  [[nodiscard]] static std::int64_t bytes(const WeightTensor& embedding);

  [[nodiscard]] const ScreenPanels& data() const { return data_; }
  /// By row, as bfloat16: lengths of what the codes leave out of fine and of
  /// coarse columns, and of what they hold of both.
  [[nodiscard]] std::array<const std::uint16_t*, Kernels::kBounds> lengths()
      const;
  /// Sets a row of `to`. Its factors, times the lengths, add up to the most
  /// that an approximate score is below the true one.
  void prepare(const float* hidden, std::int64_t row, ScreenStates& to) const;

 private:
  class Packer;

  void choose_columns(std::span<const float> norm);
  void pack(const Kernels& kernels, bool is_mapped);

  const WeightTensor& embedding_;
  // By place: which column of the file it is, its mean and scale.
  std::vector<std::int32_t> order_;
  std::vector<float> means_, scales_;
  float length_of_means_ = 0;
  ScreenPanels data_;
  Buffer buffer_;
  std::array<std::vector<std::uint16_t>, Kernels::kBounds> lengths_;
};

}  // namespace penstock::kernels
