#include "head.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

#include "kernels/half.h"
#include "kernels/packed.h"

namespace penstock::gemma::native {
namespace {

constexpr std::int64_t kFineColumns = 128;  ///< held with all 8 bits
constexpr std::int64_t kFineGroup = 8;
constexpr float kMiddle = 7.5F;  ///< of a lower half that was not read
constexpr float kZero = 128;
/// Panels screened before their scores are looked at: they are still cached.
constexpr std::int64_t kStretch = 32;
/// Rows asked for at once.
constexpr std::size_t kTogether = 16;
/// Rounding of floats: 700 terms of 2^-24 each, with room.
constexpr float kRounding = 1e-4F;
constexpr auto kNothing = -std::numeric_limits<float>::infinity();

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

struct Scored {
  float score;
  std::int64_t id;

  /// Better first.
  friend bool operator<(const Scored& a, const Scored& b) {
    return a.score != b.score ? a.score > b.score : a.id < b.id;
  }
};

/// The k best seen, the worst of them on top.
class TopK {
 public:
  explicit TopK(std::size_t k) : k_(k) {}

  /// Scores below it cannot enter.
  [[nodiscard]] float floor() const {
    if (heap_.size() < k_) return kNothing;
    return heap_.front().score;
  }
  void add(Scored item) {
    if (heap_.size() == k_) {
      if (!(item < heap_.front())) return;
      std::pop_heap(heap_.begin(), heap_.end());
      heap_.pop_back();
    }
    heap_.push_back(item);
    std::push_heap(heap_.begin(), heap_.end());
  }
  void add(const TopK& other) {
    for (const Scored& item : other.heap_) add(item);
  }
  [[nodiscard]] const std::vector<Scored>& items() const { return heap_; }
  [[nodiscard]] std::vector<Scored> sorted() && {
    std::sort_heap(heap_.begin(), heap_.end());
    return std::move(heap_);
  }

 private:
  std::size_t k_;
  std::vector<Scored> heap_;
};

}  // namespace

/// One hidden state, ready to be screened.
struct Head::Row {
  const float* hidden = nullptr;
  std::vector<float> placed;       ///< in the order of the planes
  std::array<float, 3> factors{};  ///< of lengths_, whose sum is the bound
};

struct Head::Search {
  std::int64_t k = 0;
  std::vector<Row> rows;
  std::vector<Int8Block> int8;  ///< [rows, columns / 32]
  std::vector<float> offsets;
  std::vector<float> approximate;        ///< [rows, vocab]
  std::vector<std::vector<TopK>> found;  ///< by thread, by row
  std::vector<float> floors;             ///< by row
  std::vector<TopK> best;                ///< by row
  std::atomic<std::int64_t> survivors{0};
};

/// Squares of what planes hold of a code, and of what they leave out: of the
/// upper half alone, in quarters, as the lower one's middle is no whole number.
struct Squares {
  std::array<std::int32_t, 256> fine_held{}, coarse_held{}, coarse_left{};

  constexpr Squares() {
    const auto square = [](int x) { return x * x; };
    const auto twice = [](float x) { return static_cast<int>(2 * x); };
    for (int code = 0; code < 256; ++code) {
      const auto at = static_cast<std::size_t>(code);
      const int held = 2 * (code / 16 * 16) + twice(kMiddle);
      fine_held.at(at) = square(2 * code - twice(kZero));
      coarse_held.at(at) = square(held - twice(kZero));
      coarse_left.at(at) = square(2 * code - held);
    }
  }
};
constexpr Squares kSquares;

/// Rows as 8-bit codes with a half as scale for each 32, and what that leaves.
class Head::Packer {
 public:
  explicit Packer(const Head& head)
      : head_(head),
        is_exact_(head.embedding_.type == WeightType::kQ8_0),
        blocks_(head.columns_ / kBlock),
        values_(size(is_exact_ ? 0 : head.columns_)) {}

  void pack(std::int64_t row, std::uint8_t* panel,
            std::array<std::vector<float>, 3>& lengths) {
    if (!is_exact_) dequantize(head_.embedding_, row, row + 1, values_);
    const std::int64_t lane = row % kPanel;
    std::array<double, 3> squares{};
    std::uint8_t* to = panel + blocks_ * 32;
    for (std::int64_t b = 0; b < blocks_; ++b) {
      const std::int32_t* order = head_.order_.data() + b * kBlock;
      const auto fine = std::int64_t{head_.fine_[size(b)]} * kFineGroup;
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
    const std::uint8_t* from = head_.row_bytes(row) + block * kBytes;
    std::uint16_t half = 0;
    std::memcpy(&half, from, 2);
    if ((half & 0x7C00U) == 0x7C00U) {  // not finite: let it tell
      std::vector<float> numbers(size(head_.columns_));
      dequantize(head_.embedding_, row, row + 1, numbers);
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
    const double quarter = static_cast<double>(scale) * scale / 4;
    squares[0] += quarter * static_cast<double>(left);
    squares[2] += quarter * static_cast<double>(held);
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

  const Head& head_;
  bool is_exact_;
  std::int64_t blocks_;
  std::vector<float> values_;
};

Head::Head(const WeightTensor& embedding, std::span<const float> norm,
           const Kernels& kernels, bool is_mapped)
    : embedding_(embedding),
      kernels_(kernels),
      vocab_(embedding.rows()),
      columns_(embedding.columns()),
      search_(std::make_unique<Search>()) {
  choose_columns(norm);
  pack(is_mapped);
}

Head::~Head() = default;

/// The columns whose norm weight is largest, by whole groups of 8 within the
/// blocks that share scales.
void Head::choose_columns(std::span<const float> norm) {
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

std::int64_t Head::bytes(const WeightTensor& embedding) {
  const std::int64_t panel = embedding.columns() / kBlock * (32 + 256) +
                             kFineColumns / kFineGroup * 64;
  return (embedding.rows() + kPanel - 1) / kPanel * panel +
         embedding.rows() * 12;
}

void Head::pack(bool is_mapped) {
  const std::int64_t panels = (vocab_ + kPanel - 1) / kPanel;
  std::int64_t fine = 0;
  for (const std::uint8_t groups : fine_) fine += groups;
  planes_ = {.rows = vocab_,
             .columns = columns_,
             .panel_bytes = columns_ / kBlock * (32 + 256) + fine * 64,
             .fine = fine_.data()};
  data_ = Buffer(size(panels * planes_.panel_bytes));
  planes_.data = data_.data();
  for (auto& part : lengths_) part.resize(size(panels * kPanel));
  // In stretches, whose pages of the file are then let go: the file and the
  // planes need never be in memory together.
  constexpr std::int64_t kPanels = 2048;
  for (std::int64_t at = 0; at < panels; at += kPanels) {
    const std::int64_t count = std::min(kPanels, panels - at);
    parallel_for(count, 64, [&](std::int64_t begin, std::int64_t end) {
      Packer packer(*this);
      const std::int64_t last = std::min((at + end) * kPanel, vocab_);
      for (std::int64_t r = (at + begin) * kPanel; r < last; ++r) {
        packer.pack(r, data_.data() + r / kPanel * planes_.panel_bytes,
                    lengths_);
      }
    });
    if (!is_mapped) continue;
    const std::int64_t bytes = std::ssize(embedding_.data) / vocab_;
    WeightTensor done = embedding_;
    done.data = embedding_.data.subspan(
        size(at * kPanel * bytes),
        size((std::min((at + count) * kPanel, vocab_) - at * kPanel) * bytes));
    kernels::forget_pages(done);
  }
}

float Head::score(const float* hidden, std::int64_t id) const {
  if (embedding_.type == WeightType::kQ8_0) {
    return kernels_.dot_q8(row_bytes(id), hidden, columns_);
  }
  thread_local std::vector<float> row;
  row.resize(size(columns_));
  dequantize(embedding_, id, id + 1, row);
  return kernels_.dot(row.data(), hidden, columns_);
}

const std::uint8_t* Head::row_bytes(std::int64_t id) const {
  const auto bytes = static_cast<std::int64_t>(embedding_.data.size()) / vocab_;
  return reinterpret_cast<const std::uint8_t*>(embedding_.data.data()) +
         id * bytes;
}

/// Rows lie far apart: what is asked for early is there when it is needed.
void Head::ask_for(std::int64_t id) const {
  const auto bytes = static_cast<std::int64_t>(embedding_.data.size()) / vocab_;
  const std::uint8_t* row = row_bytes(id);
  for (std::int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(row + i);
}

void Head::all(const float* hidden, std::int64_t count, float* out) const {
  parallel_for(vocab_, 512, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> row(size(columns_));
    for (std::int64_t id = begin; id < end; ++id) {
      dequantize(embedding_, id, id + 1, row);
      for (std::int64_t r = 0; r < count; ++r) {
        out[r * vocab_ + id] =
            kernels_.dot(row.data(), hidden + r * columns_, columns_);
      }
    }
  });
}

/// Row r of the search: placed, quantised, with its factors and offsets.
void Head::prepare(std::int64_t r, Search& search) const {
  Row& row = search.rows[size(r)];
  row.placed.resize(size(columns_));
  for (std::size_t i = 0; i < order_.size(); ++i) {
    row.placed[i] = row.hidden[size(order_[i])];
  }
  const std::int64_t blocks = columns_ / kBlock;
  kernels_.quantise(row.placed.data(), columns_,
                    search.int8.data() + r * blocks);
  double other = 0;
  double fine = 0;
  double lost = 0;
  for (std::int64_t b = 0; b < blocks; ++b) {
    const Int8Block& block = search.int8[size(r * blocks + b)];
    const std::int64_t fine_places = fine_[size(b)] * kFineGroup;
    float coarse = 0;
    for (std::int64_t i = 0; i < kBlock; ++i) {
      const double x = row.placed[size(b * kBlock + i)];
      const float q = block.q[i];
      const double error = x - static_cast<double>(q) * block.scale;
      (i < fine_places ? fine : other) += x * x;
      lost += error * error;
      if (i >= fine_places) coarse += q;
    }
    search.offsets[size(r * blocks + b)] =
        -block.scale *
        (kZero * static_cast<float>(block.minus_sum) + kMiddle * coarse);
  }
  const double length = std::sqrt(fine + other);
  row.factors = {static_cast<float>(std::sqrt(other) * (1 + 1e-6)),
                 static_cast<float>(std::sqrt(fine) * (1 + 1e-6)),
                 static_cast<float>(std::sqrt(lost) + kRounding * length)};
}

void Head::screen(Search& search, int thread, int threads) const {
  const std::int64_t panels = (vocab_ + kPanel - 1) / kPanel;
  const std::int64_t begin = panels * thread / threads;
  const std::int64_t end = panels * (thread + 1) / threads;
  const auto count = static_cast<std::int64_t>(search.rows.size());
  const std::int64_t stride = panels * kPanel;
  for (std::int64_t p = begin; p < end; p += kStretch) {
    const std::int64_t stop = std::min(p + kStretch, end);
    kernels_.screen(planes_, p, stop, search.int8.data(), search.offsets.data(),
                    count, search.approximate.data(), stride);
    for (std::int64_t r = 0; r < count; ++r) {
      TopK& top = search.found[size(thread)][size(r)];
      const float* values = search.approximate.data() + r * stride;
      const std::int64_t last = std::min(stop * kPanel, vocab_);
      for (std::int64_t i = p * kPanel;; ++i) {
        i = kernels_.find_at_least(values, top.floor(), i, last);
        if (i >= last) break;
        top.add({values[i], i});
      }
    }
  }
}

/// A floor for each row: the worst exact score of the k best approximate ones.
void Head::set_floors(Search& search, int thread, int threads) const {
  const auto count = static_cast<std::int64_t>(search.rows.size());
  for (std::int64_t r = count * thread / threads;
       r < count * (thread + 1) / threads; ++r) {
    TopK top(size(search.k));
    for (auto& found : search.found) {
      top.add(found[size(r)]);
      found[size(r)] = TopK(size(search.k));
    }
    float floor = std::numeric_limits<float>::infinity();
    for (const Scored& item : top.items()) {
      floor = std::min(floor, score(search.rows[size(r)].hidden, item.id));
    }
    search.floors[size(r)] = floor;
  }
}

/// Exact scores of all rows that may reach the floor.
void Head::settle(Search& search, int thread, int threads) const {
  const std::int64_t begin = vocab_ * thread / threads;
  const std::int64_t end = vocab_ * (thread + 1) / threads;
  const std::int64_t stride = (vocab_ + kPanel - 1) / kPanel * kPanel;
  const std::array<const float*, 3> lengths{
      lengths_[0].data(), lengths_[1].data(), lengths_[2].data()};
  std::int64_t survivors = 0;
  for (std::size_t r = 0; r < search.rows.size(); ++r) {
    const Row& row = search.rows[r];
    TopK& top = search.found[size(thread)][r];
    const float* values =
        search.approximate.data() + static_cast<std::int64_t>(r) * stride;
    std::array<std::int64_t, kTogether> ids{};
    for (std::int64_t i = begin; i < end;) {
      const float floor = std::max(search.floors[r], top.floor());
      std::size_t count = 0;
      for (; count < kTogether; ++count, ++i) {
        i = kernels_.find_reaching(values, lengths.data(), row.factors.data(),
                                   floor, i, end);
        if (i >= end) break;
        ids[count] = i;
        ask_for(i);
      }
      for (std::size_t n = 0; n < count; ++n) {
        top.add({score(row.hidden, ids[n]), ids[n]});
      }
      survivors += static_cast<std::int64_t>(count);
    }
  }
  search.survivors += survivors;
}

std::vector<Best> Head::best(const float* hidden, std::int64_t count,
                             std::int64_t k) {
  Search& search = *search_;
  const std::int64_t blocks = columns_ / kBlock;
  const std::int64_t stride = (vocab_ + kPanel - 1) / kPanel * kPanel;
  search.k = std::min(k, vocab_);
  search.rows.resize(size(count));
  search.int8.resize(size(count * blocks));
  search.offsets.resize(size(count * blocks));
  search.approximate.resize(size(count * stride));
  search.found.assign(size(threads()),
                      std::vector<TopK>(size(count), TopK(size(search.k))));
  search.floors.resize(size(count));
  search.survivors = 0;
  for (std::int64_t r = 0; r < count; ++r) {
    search.rows[size(r)].hidden = hidden + r * columns_;
  }
  std::vector<Best> best(size(count));
  parallel_region([&](int thread, Team& team) {
    for (std::int64_t r = thread; r < count; r += team.size()) {
      prepare(r, search);
    }
    team.meet();
    screen(search, thread, team.size());
    team.meet();
    set_floors(search, thread, team.size());
    team.meet();
    settle(search, thread, team.size());
    team.meet();
    for (std::int64_t r = thread; r < count; r += team.size()) {
      TopK top(size(search.k));
      for (const auto& found : search.found) top.add(found[size(r)]);
      for (const Scored& item : std::move(top).sorted()) {
        best[size(r)].ids.push_back(item.id);
        best[size(r)].scores.push_back(item.score);
      }
    }
  });
  survivors_ = search.survivors;
  return best;
}

}  // namespace penstock::gemma::native
