#include "head_planes.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "kernels/half.h"
#include "kernels/packed.h"
#include "penstock/parallel.h"

namespace penstock::gemma::native {
namespace {

constexpr std::int64_t kFineColumns = 128;  ///< held with all 8 bits
constexpr std::int64_t kFineGroup = 8;
constexpr int kMiddle = 8;  ///< of a lower half that was not read
constexpr int kZero = 128;
/// Rounding of floats: 700 terms of 2^-24 each, with room.
constexpr float kRounding = 1e-4F;

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

/// Squares of what planes hold of a code, and of what they leave out: of the
/// upper half alone.
struct Squares {
  std::array<std::int32_t, 256> fine_held{}, coarse_held{}, coarse_left{};

  constexpr Squares() {
    const auto square = [](int x) { return x * x; };
    for (int code = 0; code < 256; ++code) {
      const auto at = static_cast<std::size_t>(code);
      const int held = code / 16 * 16 + kMiddle;
      fine_held.at(at) = square(code - kZero);
      coarse_held.at(at) = square(held - kZero);
      coarse_left.at(at) = square(code - held);
    }
  }
};
constexpr Squares kSquares;

}  // namespace

const std::uint8_t* row_bytes(const WeightTensor& embedding, std::int64_t id) {
  const auto bytes =
      static_cast<std::int64_t>(embedding.data.size()) / embedding.rows();
  return reinterpret_cast<const std::uint8_t*>(embedding.data.data()) +
         id * bytes;
}

/// Rows as 8-bit codes with a half as scale for each 32, and what that leaves.
class Planes::Packer {
 public:
  explicit Packer(const Planes& planes)
      : planes_(planes),
        is_exact_(planes.embedding_.type == WeightType::kQ8_0),
        blocks_(planes.columns_ / kBlock),
        values_(size(is_exact_ ? 0 : planes.columns_)) {}

  void pack(std::int64_t row, std::uint8_t* panel,
            std::array<std::vector<float>, 3>& lengths) {
    if (!is_exact_) dequantize(planes_.embedding_, row, row + 1, values_);
    const std::int64_t lane = row % kPanel;
    std::array<double, 3> squares{};
    std::uint8_t* to = panel + blocks_ * 32;
    for (std::int64_t b = 0; b < blocks_; ++b) {
      const std::int32_t* order = planes_.order_.data() + b * kBlock;
      const auto fine = std::int64_t{planes_.fine_[size(b)]} * kFineGroup;
      Codes codes{};
      const std::uint16_t half =
          is_exact_ ? take(row, b, order, codes) : round(b, order, codes);
      std::memcpy(panel + 32 * b + 2 * lane, &half, 2);
      to = write(codes, fine, to, lane);
      const float scale = kernels::half_to_float(half);
      if (is_exact_) {
        measure(codes, fine, scale, squares);
      } else {
        measure_rounded(codes, fine, scale, order, squares);
      }
    }
    for (std::size_t part = 0; part < 3; ++part) {
      lengths[part][size(row)] =
          static_cast<float>(std::sqrt(squares[part]) * (1 + 1e-6));
    }
  }

 private:
  /// Of a block, in the order of the planes.
  using Codes = std::array<std::uint8_t, kBlock>;

  /// The codes that the file has, and the bits of their scale.
  std::uint16_t take(std::int64_t row, std::int64_t block,
                     const std::int32_t* order, Codes& codes) const {
    constexpr std::int64_t kBytes = 2 + kBlock;
    const std::uint8_t* from =
        row_bytes(planes_.embedding_, row) + block * kBytes;
    std::uint16_t half = 0;
    std::memcpy(&half, from, 2);
    if ((half & 0x7C00U) == 0x7C00U) {  // not finite: let it tell
      std::vector<float> numbers(size(planes_.columns_));
      dequantize(planes_.embedding_, row, row + 1, numbers);
    }
    const std::uint8_t* first = from + 2 - block * kBlock;
    for (std::size_t i = 0; i < codes.size(); ++i) {
      codes[i] = first[order[i]] ^ 0x80U;
    }
    return half;
  }

  /// The numbers' own codes.
  std::uint16_t round(std::int64_t block, const std::int32_t* order,
                      Codes& codes) const {
    float most = 0;
    for (std::int64_t i = 0; i < kBlock; ++i) {
      most = std::max(most, std::fabs(values_[size(block * kBlock + i)]));
    }
    const std::uint16_t half = kernels::float_to_half(most / 127);
    const float scale = kernels::half_to_float(half);
    const float inverse = scale > 0 ? 1 / scale : 0;
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const float q = std::clamp(
          std::nearbyint(values_[size(order[i])] * inverse), -128.0F, 127.0F);
      codes[i] = static_cast<std::uint8_t>(q + kZero);
    }
    return half;
  }

  /// A lane of a block: upper halves, then the lower ones that are held.
  static std::uint8_t* write(const Codes& codes, std::int64_t fine,
                             std::uint8_t* to, std::int64_t lane) {
    std::uint8_t* at = to + 4 * lane;
    for (std::size_t i = 0; i < 16; ++i) {
      at[64 * (i / 4) + i % 4] =
          static_cast<std::uint8_t>(codes[i] >> 4U | (codes[i + 16] & 0xF0U));
    }
    at += 256;
    for (std::size_t g = 0; g < size(fine); g += 8, at += 64) {
      for (std::size_t i = 0; i < 4; ++i) {
        const unsigned low = codes[g + i] & 15U;
        const unsigned high = codes[g + i + 4] & 15U;
        at[i] = static_cast<std::uint8_t>(low | high << 4U);
      }
    }
    return to + 256 + 64 * fine / 8;
  }

  /// Adds the squares of what the planes leave out and hold of a block.
  static void measure(const Codes& codes, std::int64_t fine, float scale,
                      std::array<double, 3>& squares) {
    std::int64_t left = 0;
    std::int64_t held = 0;
    for (std::size_t i = 0; i < size(fine); ++i) {
      held += kSquares.fine_held[codes[i]];
    }
    for (std::size_t i = size(fine); i < codes.size(); ++i) {
      left += kSquares.coarse_left[codes[i]];
      held += kSquares.coarse_held[codes[i]];
    }
    const double square = static_cast<double>(scale) * scale;
    squares[0] += square * static_cast<double>(left);
    squares[2] += square * static_cast<double>(held);
  }
  /// The same of numbers that are not their codes.
  void measure_rounded(const Codes& codes, std::int64_t fine, float scale,
                       const std::int32_t* order,
                       std::array<double, 3>& squares) const {
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const bool is_fine = i < size(fine);
      const auto upper = static_cast<double>(codes[i] & 0xF0U);
      const double code =
          is_fine ? static_cast<double>(codes[i]) : upper + kMiddle;
      const double held = scale * (code - kZero);
      const double left = values_[size(order[i])] - held;
      squares[is_fine ? 1 : 0] += left * left;
      squares[2] += held * held;
    }
  }

  const Planes& planes_;
  bool is_exact_;
  std::int64_t blocks_;
  std::vector<float> values_;
};

Planes::Planes(const WeightTensor& embedding, std::span<const float> norm,
               bool is_mapped)
    : embedding_(embedding), columns_(embedding.columns()) {
  choose_columns(norm);
  pack(is_mapped);
}

/// The columns whose norm weight is largest, by whole groups of 8 within the
/// blocks that share scales.
void Planes::choose_columns(std::span<const float> norm) {
  order_.resize(size(columns_));
  std::iota(order_.begin(), order_.end(), 0);
  const std::int64_t blocks = columns_ / kBlock;
  struct Group {
    float energy;
    std::int64_t block;
  };
  std::vector<Group> groups;
  for (std::int64_t b = 0; b < blocks; ++b) {
    const auto begin = order_.begin() + b * kBlock;
    std::sort(begin, begin + kBlock, [&](std::int32_t i, std::int32_t j) {
      return std::fabs(norm[size(i)]) > std::fabs(norm[size(j)]);
    });
    for (std::int64_t g = 0; g < kBlock / kFineGroup; ++g) {
      float energy = 0;
      for (std::int64_t i = 0; i < kFineGroup; ++i) {
        const float w = norm[size(*(begin + g * kFineGroup + i))];
        energy += w * w;
      }
      groups.push_back({energy, b});
    }
  }
  std::sort(groups.begin(), groups.end(),
            [](const Group& a, const Group& b) { return a.energy > b.energy; });
  fine_.assign(size(blocks), 0);
  const auto count = std::min(groups.size(), size(kFineColumns / kFineGroup));
  for (std::size_t i = 0; i < count; ++i) ++fine_[size(groups[i].block)];
}

std::int64_t Planes::bytes(const WeightTensor& embedding) {
  const std::int64_t panel = embedding.columns() / kBlock * (32 + 256) +
                             kFineColumns / kFineGroup * 64;
  return (embedding.rows() + kPanel - 1) / kPanel * panel +
         embedding.rows() * 12;
}

void Planes::pack(bool is_mapped) {
  const std::int64_t vocab = embedding_.rows();
  const std::int64_t panels = (vocab + kPanel - 1) / kPanel;
  std::int64_t fine = 0;
  for (const std::uint8_t groups : fine_) fine += groups;
  data_ = {.rows = vocab,
           .columns = columns_,
           .panel_bytes = columns_ / kBlock * (32 + 256) + fine * 64,
           .fine = fine_.data()};
  buffer_ = Buffer(size(panels * data_.panel_bytes));
  data_.data = buffer_.data();
  for (auto& part : lengths_) part.resize(size(panels * kPanel));
  // In stretches, whose pages of the file are then let go: the file and the
  // planes need never be in memory together.
  constexpr std::int64_t kPanels = 2048;
  for (std::int64_t at = 0; at < panels; at += kPanels) {
    const std::int64_t count = std::min(kPanels, panels - at);
    parallel_for(count, 64, [&](std::int64_t begin, std::int64_t end) {
      Packer packer(*this);
      const std::int64_t last = std::min((at + end) * kPanel, vocab);
      for (std::int64_t r = (at + begin) * kPanel; r < last; ++r) {
        packer.pack(r, buffer_.data() + r / kPanel * data_.panel_bytes,
                    lengths_);
      }
    });
    if (!is_mapped) continue;
    const std::int64_t bytes = std::ssize(embedding_.data) / vocab;
    WeightTensor done = embedding_;
    done.data = embedding_.data.subspan(
        size(at * kPanel * bytes),
        size((std::min((at + count) * kPanel, vocab) - at * kPanel) * bytes));
    kernels::forget_pages(done);
  }
}

std::array<float, 3> Planes::prepare(const Kernels& kernels,
                                     const float* hidden,
                                     std::vector<float>& placed,
                                     Int8Block* to) const {
  placed.resize(size(columns_));
  for (std::size_t i = 0; i < order_.size(); ++i) {
    placed[i] = hidden[order_[i]];
  }
  kernels.quantise(placed.data(), columns_, to);
  double other = 0;
  double fine = 0;
  double lost = 0;
  for (std::int64_t b = 0; b < columns_ / kBlock; ++b) {
    Int8Block& block = to[b];
    const std::int64_t fine_places = fine_[size(b)] * kFineGroup;
    int coarse = 0;
    for (std::int64_t i = 0; i < kBlock; ++i) {
      const double x = placed[size(b * kBlock + i)];
      const float q = block.q[i];
      const double error = x - static_cast<double>(q) * block.scale;
      (i < fine_places ? fine : other) += x * x;
      lost += error * error;
      if (i >= fine_places) coarse += static_cast<int>(q);
    }
    block.minus_sum = kZero * block.minus_sum + kMiddle * coarse;
  }
  const double length = std::sqrt(fine + other);
  return {static_cast<float>(std::sqrt(other) * (1 + 1e-6)),
          static_cast<float>(std::sqrt(fine) * (1 + 1e-6)),
          static_cast<float>(std::sqrt(lost) + kRounding * length)};
}

}  // namespace penstock::gemma::native
