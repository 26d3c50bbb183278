#include "lib/kernels/screen_codes.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>

#include "lib/kernels/packed.h"
#include "lib/kernels/size.h"
#include "penstock/parallel.h"

namespace penstock::kernels {
namespace {

// Quantisation steps for rows whose root mean square is 1: for 4-bit codes
// nearly the best for a normal distribution (Max 1960), for 8-bit codes such
// that all numbers within 5 fit.
constexpr float kCoarseStep = 0.35F;
constexpr float kFineStep = 5.0F / 127;
/// Rows that are sampled to find each column's mean and scale.
constexpr std::int64_t kSamples = 8192;
constexpr std::int64_t kSamplesTogether = 128;
/// Rounding error of float sums, relative to the lengths multiplied: a hundred
/// terms of 2^-24 each, with room.
constexpr float kRounding = 1e-4F;

/// Scales below this are treated as 0.
constexpr float kLeastScale = 0x1p-120F;

/// Columns with 8-bit codes: a fifth, which hold two thirds of a
/// hidden state's squares.
std::int64_t fine_columns(std::int64_t columns) {
  return (columns / 5 + kBlock - 1) / kBlock * kBlock;
}

std::int64_t bytes_of_panel(std::int64_t columns) {
  const std::int64_t fine = fine_columns(columns);
  return kPanel * (4 + fine + (columns - fine) / 2);
}

/// Smallest bfloat16 that is not below x, which is at least 0.
std::uint16_t bf16_above(float x) {
  return static_cast<std::uint16_t>(
      (std::bit_cast<std::uint32_t>(x) + 0xFFFFU) >> 16U);
}

float length(std::span<const float> x) {
  double squares = 0;
  for (const float v : x) squares += static_cast<double>(v) * v;
  return static_cast<float>(std::sqrt(squares));
}

/// Sums of squares: of numbers, and of what rounding leaves out of them.
struct Squares {
  double all = 0, lost = 0;
};

/// A segment's scale, and the sum of its codes.
struct Segment {
  float scale = 0;
  std::int32_t sum = 0;
};

/// Rounds the numbers of a segment to bytes with one scale.
Segment round_segment(std::span<const float> x, std::int8_t* q,
                      Squares& squares) {
  float most = 0;
  for (const float number : x) most = std::max(most, std::fabs(number));
  Segment out{.scale = most / 127};
  const float inverse = out.scale > kLeastScale ? 1 / out.scale : 0;
  for (const float number : x) {
    const float code = std::nearbyint(number * inverse);
    const double error = number - static_cast<double>(code) * out.scale;
    squares.all += static_cast<double>(number) * number;
    squares.lost += error * error;
    *q++ = static_cast<std::int8_t>(code);
    out.sum += static_cast<std::int32_t>(code);
  }
  return out;
}

}  // namespace

const std::uint8_t* row_bytes(const WeightTensor& embedding, std::int64_t id) {
  const auto bytes =
      static_cast<std::int64_t>(embedding.data.size()) / embedding.rows();
  return reinterpret_cast<const std::uint8_t*>(embedding.data.data()) +
         id * bytes;
}

/// Encodes rows, and measures the lengths of what the codes hold and leave out.
class ScreenCodes::Packer {
 public:
  Packer(const ScreenCodes& planes, const Kernels& kernels)
      : planes_(planes),
        kernels_(kernels),
        columns_(planes.data_.columns),
        fine_(planes.data_.fine),
        values_(size(columns_)),
        placed_(size(columns_)),
        codes_(size(columns_)) {
    for (const float scale : planes.scales_) inverse_.push_back(1 / scale);
  }

  /// Packs row `row` into its lane of `panel` and sets its lengths.
  void pack(std::int64_t row, std::uint8_t* panel,
            std::array<std::vector<std::uint16_t>, Kernels::kBounds>& lengths) {
    dequantize(planes_.embedding_, row, row + 1, values_);
    const float* values = values_.data();
    for (std::size_t i = 0; i < placed_.size(); ++i) {
      placed_[i] =
          (values[planes_.order_[i]] - planes_.means_[i]) * inverse_[i];
    }
    const float* placed = placed_.data();
    const float unit = std::sqrt(kernels_.dot(placed, placed, columns_) /
                                 static_cast<float>(columns_));
    const float step = unit * kCoarseStep;
    std::array<float, Kernels::kBounds> all{};
    float* lengths_of = all.data();
    kernels_.round_to(placed, fine_, unit * kFineStep, -128, 127, codes_.data(),
                      lengths_of, lengths_of + 2);
    kernels_.round_to(placed + fine_, columns_ - fine_, step, -8, 7,
                      codes_.data() + fine_, lengths_of + 1, lengths_of + 3);
    for (std::size_t i = 0; i < all.size(); ++i) {
      lengths[i][size(row)] = bf16_above(all[i]);
    }
    const std::int64_t lane = row % kPanel;
    std::memcpy(panel + lane * 4, &step, 4);
    write(panel + kPanel * 4 + lane * 4);
  }

 private:
  /// Four codes from `place` on, as bytes.
  [[nodiscard]] std::uint32_t four(std::int64_t place) const {
    std::uint32_t codes = 0;
    std::memcpy(&codes, codes_.data() + place, 4);
    return codes;
  }
  /// Four codes from `place` on, as nibbles with zero point 8.
  [[nodiscard]] std::uint32_t four_nibbles(std::int64_t place) const {
    return (four(place) ^ 0x08080808U) & 0x0F0F0F0FU;
  }

  /// Writes the codes of a lane, 4 columns to each vector of 64 bytes.
  void write(std::uint8_t* to) const {
    const auto put = [&to](std::uint32_t codes) {
      std::memcpy(to, &codes, 4);
      to += kPanel * 4;
    };
    for (std::int64_t i = 0; i < fine_; i += 4) put(four(i) ^ 0x80808080U);
    for (std::int64_t i = fine_; i < columns_; i += kBlock) {
      for (std::int64_t v = i; v < i + kBlock / 2; v += 4) {
        put(four_nibbles(v) | four_nibbles(v + kBlock / 2) << 4U);
      }
    }
  }

  const ScreenCodes& planes_;
  const Kernels& kernels_;
  std::int64_t columns_, fine_;
  std::vector<float> values_, placed_, inverse_;
  std::vector<std::int8_t> codes_;
};

ScreenCodes::ScreenCodes(const WeightTensor& embedding,
                         std::span<const float> norm, const Kernels& kernels,
                         bool is_mapped)
    : embedding_(embedding) {
  choose_columns(norm);
  pack(kernels, is_mapped);
}

namespace {

/// Rows sampled evenly from the whole vocabulary.
std::vector<float> sample_of(const WeightTensor& embedding) {
  const std::int64_t vocab = embedding.rows();
  const std::int64_t columns = embedding.columns();
  const bool is_all = vocab <= kSamples;
  const std::int64_t together = is_all ? vocab : kSamplesTogether;
  const std::int64_t runs = is_all ? 1 : kSamples / kSamplesTogether;
  std::vector<float> out(size(runs * together * columns));
  for (std::int64_t i = 0; i < runs; ++i) {
    const std::int64_t begin = (vocab - together) * i / runs;
    dequantize(embedding, begin, begin + together,
               std::span(out).subspan(size(i * together * columns),
                                      size(together * columns)));
  }
  return out;
}

std::vector<float> means_of(std::span<const float> rows, std::size_t columns) {
  std::vector<double> sums(columns);
  for (std::size_t i = 0; i < rows.size(); ++i) sums[i % columns] += rows[i];
  const std::size_t count = rows.size() / columns;
  std::vector<float> means(columns);
  for (std::size_t i = 0; i < columns; ++i) {
    means[i] = static_cast<float>(sums[i] / static_cast<double>(count));
  }
  return means;
}

/// Spread of each column around its mean, in rows scaled to length 1 so that
/// long rows do not count more.
std::vector<float> scales_of(std::span<const float> rows,
                             std::span<const float> means) {
  const std::size_t columns = means.size();
  std::vector<double> shares(columns);
  std::vector<double> squares(columns);
  for (; !rows.empty(); rows = rows.subspan(columns)) {
    double total = 0;
    for (std::size_t i = 0; i < columns; ++i) {
      const double x = static_cast<double>(rows[i]) - means[i];
      squares[i] = x * x;
      total += squares[i];
    }
    if (total == 0) continue;
    for (std::size_t i = 0; i < columns; ++i) shares[i] += squares[i] / total;
  }
  const double all = std::accumulate(shares.begin(), shares.end(), 0.0);
  std::vector<float> scales;
  for (const double share : shares) {
    // A nearly constant column gets a scale above 0 too.
    const double least = 1e-6 / static_cast<double>(columns);
    scales.push_back(static_cast<float>(
        std::sqrt(std::max(all > 0 ? share / all : 0, least))));
  }
  return scales;
}

}  // namespace

void ScreenCodes::choose_columns(std::span<const float> norm) {
  const std::vector<float> sample = sample_of(embedding_);
  const std::vector<float> means = means_of(sample, size(embedding_.columns()));
  const std::vector<float> scales = scales_of(sample, means);
  order_.resize(means.size());
  std::iota(order_.begin(), order_.end(), 0);
  const auto weight = [&](std::int32_t i) {
    return scales[size(i)] * std::fabs(norm[size(i)]);
  };
  std::stable_sort(
      order_.begin(), order_.end(),
      [&](std::int32_t a, std::int32_t b) { return weight(a) > weight(b); });
  for (const std::int32_t column : order_) {
    means_.push_back(means[size(column)]);
    scales_.push_back(scales[size(column)]);
  }
  length_of_means_ = length(means_);
}

std::int64_t ScreenCodes::bytes(const WeightTensor& embedding) {
  const std::int64_t panels = (embedding.rows() + kPanel - 1) / kPanel;
  return panels * (bytes_of_panel(embedding.columns()) +
                   kPanel * std::int64_t{2} * Kernels::kBounds);
}

std::array<const std::uint16_t*, Kernels::kBounds> ScreenCodes::lengths()
    const {
  std::array<const std::uint16_t*, Kernels::kBounds> all{};
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = lengths_[i].data();
  return all;
}

void ScreenCodes::pack(const Kernels& kernels, bool is_mapped) {
  const std::int64_t vocab = embedding_.rows();
  const std::int64_t panels = (vocab + kPanel - 1) / kPanel;
  data_ = {.rows = vocab,
           .columns = embedding_.columns(),
           .fine = fine_columns(embedding_.columns()),
           .panel_bytes = bytes_of_panel(embedding_.columns())};
  buffer_ = Buffer(size(panels * data_.panel_bytes));
  data_.data = buffer_.data();
  for (auto& part : lengths_) part.resize(size(panels * kPanel));
  // One chunk of panels at a time, dropping its pages of the file afterwards,
  // so that the file and the codes are never in memory together.
  constexpr std::int64_t kPanels = 2048;
  for (std::int64_t at = 0; at < panels; at += kPanels) {
    const std::int64_t count = std::min(kPanels, panels - at);
    parallel_for(count, 64, [&](std::int64_t begin, std::int64_t end) {
      Packer packer(*this, kernels);
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
    kernels::discard_pages(done);
  }
}

void ScreenStates::resize(const ScreenPanels& planes, std::int64_t count) {
  q_.resize(size(count * planes.columns));
  scales_.resize(size(count * planes.segments()));
  minus_sums_.resize(size(count * planes.segments()));
  constants_.resize(size(count));
  factors_.resize(size(count * Kernels::kBounds));
}

void ScreenCodes::prepare(const float* hidden, std::int64_t row,
                          ScreenStates& to) const {
  double constant = 0;
  std::array<Squares, 2> squares{};  // of fine and of coarse columns
  std::int64_t segment = row * data_.segments();
  for (std::int64_t begin = 0; begin < data_.columns;) {
    const bool is_coarse = begin >= data_.fine;
    const std::int64_t end =
        is_coarse
            ? std::min(begin + ScreenPanels::kCoarseSegment, data_.columns)
            : begin + ScreenPanels::kFineSegment;
    std::array<float, ScreenPanels::kCoarseSegment> x{};
    for (std::int64_t i = begin; i < end; ++i) {
      const float number = hidden[order_[size(i)]];
      constant += static_cast<double>(means_[size(i)]) * number;
      x[size(i - begin)] = number * scales_[size(i)];
    }
    const Segment rounded =
        round_segment(std::span(x).first(size(end - begin)),
                      to.q_.data() + row * data_.columns + begin,
                      is_coarse ? squares[1] : squares[0]);
    to.scales_[size(segment)] =
        is_coarse ? rounded.scale : rounded.scale * (kFineStep / kCoarseStep);
    to.minus_sums_[size(segment)] = -rounded.sum;
    ++segment;
    begin = end;
  }
  const double slack = static_cast<double>(kRounding) * length_of_means_ *
                       length({hidden, size(data_.columns)});
  to.constants_[size(row)] = static_cast<float>(constant + slack);
  const double whole = std::sqrt(squares[0].all + squares[1].all);
  float* factors = to.factors_.data() + row * Kernels::kBounds;
  for (std::size_t part = 0; part < 2; ++part) {
    const auto& [all, lost] = squares.at(part);
    factors[part] = static_cast<float>(std::sqrt(all) * (1 + 1e-3));
    factors[2 + part] = static_cast<float>(std::sqrt(lost) + kRounding * whole);
  }
}

}  // namespace penstock::kernels
