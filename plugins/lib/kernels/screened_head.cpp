#include "lib/kernels/screened_head.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "lib/kernels/size.h"
#include "penstock/parallel.h"

namespace penstock::kernels {
namespace {

/// Panels screened before their scores are looked at, which
/// are then still cached.
constexpr std::int64_t kStretch = 32;
/// Scores of a stretch, and a panel of padding: rows a power of two apart would
/// evict each other from the cache.
constexpr std::int64_t kStride = (kStretch + 1) * kPanel;
/// Panels that give the floors: a vocabulary begins with its frequent tokens.
constexpr std::int64_t kFirst = 16 * kStretch;
/// Rows prefetched at once.
constexpr std::size_t kTogether = 16;
constexpr auto kNothing = -std::numeric_limits<float>::infinity();

struct Scored {
  float score;
  std::int64_t id;

  /// Orders the better one first.
  friend bool operator<(const Scored& a, const Scored& b) {
    return a.score != b.score ? a.score > b.score : a.id < b.id;
  }
};

/// The k best scores seen, the worst of them on top.
class TopK {
 public:
  explicit TopK(std::size_t k) : k_(k) {}

  /// Scores below the floor cannot enter.
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

/// Hands out [0, count) to threads in chunks that shrink, so that all end at
/// the same time however fast each is.
class Chunks {
 public:
  void reset(std::int64_t count, std::int64_t smallest) {
    count_ = count;
    smallest_ = smallest;
    next_ = 0;
  }
  /// Calls body(begin, end) for chunks until nothing is left.
  template <class Body>
  void each(int threads, const Body& body) {
    for (std::int64_t begin = next_; begin < count_;) {
      const std::int64_t fair = (count_ - begin) / threads / 2;
      const std::int64_t whole = fair / smallest_ * smallest_;
      const std::int64_t end =
          std::min(count_, begin + std::max(whole, smallest_));
      if (!next_.compare_exchange_weak(begin, end)) continue;
      body(begin, end);
      begin = next_;
    }
  }

 private:
  std::int64_t count_ = 0, smallest_ = 1;
  std::atomic<std::int64_t> next_{0};
};

}  // namespace

struct ScreenedHead::Search {
  std::int64_t k = 0;
  const float* hidden = nullptr;  ///< [count, columns]
  std::int64_t count = 0;
  ScreenStates rows;
  std::int64_t first = 0;          ///< panels screened first: kFirst or all
  std::vector<float> approximate;  ///< [rows, first]
  std::vector<std::vector<float>> stretches;  ///< by thread: [rows, kStride]
  std::vector<std::vector<TopK>> found;       ///< by thread, by row
  std::vector<float> floors;                  ///< by row
  std::vector<std::int64_t> survivors;        ///< by thread
  Chunks first_chunks, chunks;                ///< of panels
  Allowed allowed;                            ///< by row

  [[nodiscard]] bool may(std::int64_t row, std::int64_t id) const {
    if (size(row) >= allowed.size()) return true;
    const TokenSet* set = allowed[size(row)];
    return set == nullptr || set->contains(id);
  }
  void reset(const ScreenCodes& codes, const float* states,
             std::int64_t state_count, std::int64_t best) {
    const ScreenPanels& panels = codes.data();
    k = std::min(best, panels.rows);
    hidden = states;
    count = state_count;
    rows.resize(panels, count);
    first = std::min(kFirst, panels.panels());
    approximate.resize(size(count * first * kPanel));
    stretches.resize(size(threads()));
    found.assign(size(threads()),
                 std::vector<TopK>(size(count), TopK(size(k))));
    floors.resize(size(count));
    survivors.assign(size(threads()), 0);
    first_chunks.reset(first, kStretch);
    chunks.reset(panels.panels(), kStretch);
  }
  /// Merges what all threads found for a row.
  [[nodiscard]] Best best(std::int64_t row) const {
    TopK top(size(k));
    for (const auto& rows_found : found) top.add(rows_found[size(row)]);
    Best out;
    for (const Scored& item : std::move(top).sorted()) {
      out.ids.push_back(item.id);
      out.scores.push_back(item.score);
    }
    return out;
  }
};

ScreenedHead::ScreenedHead(const WeightTensor& embedding,
                           std::span<const float> norm, const Kernels& kernels,
                           bool is_mapped)
    : embedding_(embedding),
      kernels_(kernels),
      vocab_(embedding.rows()),
      columns_(embedding.columns()),
      codes_(embedding, norm, kernels, is_mapped),
      search_(std::make_unique<Search>()) {}

ScreenedHead::~ScreenedHead() = default;

float ScreenedHead::score(const float* hidden, std::int64_t id) const {
  if (embedding_.type == WeightType::kQ8_0) {
    return kernels_.dot_q8(row_bytes(embedding_, id), hidden, columns_);
  }
  thread_local std::vector<float> row;
  row.resize(size(columns_));
  dequantize(embedding_, id, id + 1, row);
  return kernels_.dot(row.data(), hidden, columns_);
}

/// Prefetches a row: the rows needed lie far apart in the file.
void ScreenedHead::ask_for(std::int64_t id) const {
  const auto bytes = static_cast<std::int64_t>(embedding_.data.size()) / vocab_;
  const std::uint8_t* row = row_bytes(embedding_, id);
  for (std::int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(row + i);
}

void ScreenedHead::among(const float* hidden, std::span<const std::int64_t> ids,
                         float* out) const {
  constexpr std::int64_t kGrain = 256;
  parallel_for(std::ssize(ids), kGrain,
               [&](std::int64_t begin, std::int64_t end) {
                 const auto ahead = static_cast<std::int64_t>(kTogether);
                 for (std::int64_t i = begin; i < end; ++i) {
                   if ((i - begin) % ahead == 0) {
                     const std::int64_t stop = std::min(i + ahead, end);
                     for (std::int64_t n = i; n < stop; ++n) {
                       ask_for(ids[size(n)]);
                     }
                   }
                   out[i] = score(hidden, ids[size(i)]);
                 }
               });
}

void ScreenedHead::all(const float* hidden, std::int64_t count,
                       float* out) const {
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

/// Keeps the best approximate scores of panels [begin, end), which are among
/// the first.
void ScreenedHead::screen_first(Search& search, int thread, std::int64_t begin,
                                std::int64_t end) const {
  const std::int64_t stride = search.first * kPanel;
  for (std::int64_t p = begin; p < end; p += kStretch) {
    const std::int64_t stop = std::min(p + kStretch, end);
    kernels_.screen(codes_.data(), p, stop, search.rows.view(), search.count,
                    search.approximate.data(), stride);
    for (std::int64_t r = 0; r < search.count; ++r) {
      TopK& top = search.found[size(thread)][size(r)];
      const float* values = search.approximate.data() + r * stride;
      const std::int64_t last = std::min(stop * kPanel, vocab_);
      for (std::int64_t i = p * kPanel;; ++i) {
        i = kernels_.find_at_least(values, top.floor(), i, last);
        if (i >= last) break;
        if (search.may(r, i)) top.add({values[i], i});
      }
    }
  }
}

/// Sets a floor for each row: the worst exact score of its k best approximate
/// ones, of which there are k.
void ScreenedHead::set_floors(Search& search, int thread, int threads) const {
  for (std::int64_t r = search.count * thread / threads;
       r < search.count * (thread + 1) / threads; ++r) {
    TopK top(size(search.k));
    for (auto& found : search.found) {
      top.add(found[size(r)]);
      found[size(r)] = TopK(size(search.k));
    }
    float floor = std::ssize(top.items()) < search.k
                      ? kNothing
                      : std::numeric_limits<float>::infinity();
    for (const Scored& item : top.items()) {
      floor = std::min(floor, score(search.hidden + r * columns_, item.id));
    }
    search.floors[size(r)] = floor;
  }
}

/// Computes exact scores in panels [begin, end) where they
/// may reach the floors.
void ScreenedHead::settle(Search& search, int thread, std::int64_t begin,
                          std::int64_t end) const {
  std::vector<float>& stretch = search.stretches[size(thread)];
  stretch.resize(size(search.count * kStride));
  for (std::int64_t p = begin; p < end; p += kStretch) {
    const std::int64_t stop = std::min(p + kStretch, end);
    const std::int64_t last = std::min(stop * kPanel, vocab_);
    if (stop <= search.first) {
      const std::int64_t stride = search.first * kPanel;
      for (std::int64_t r = 0; r < search.count; ++r) {
        settle(search, thread, r, search.approximate.data() + r * stride,
               p * kPanel, last);
      }
      continue;
    }
    float* values = stretch.data() - p * kPanel;
    kernels_.screen(codes_.data(), p, stop, search.rows.view(), search.count,
                    values, kStride);
    for (std::int64_t r = 0; r < search.count; ++r) {
      settle(search, thread, r, values + r * kStride, p * kPanel, last);
    }
  }
}

/// Computes exact scores of ids [begin, end) for one hidden state, whose
/// approximate scores are `values`.
void ScreenedHead::settle(Search& search, int thread, std::int64_t row,
                          const float* values, std::int64_t begin,
                          std::int64_t end) const {
  const auto lengths = codes_.lengths();
  const float* hidden = search.hidden + row * columns_;
  TopK& top = search.found[size(thread)][size(row)];
  std::array<std::int64_t, kTogether> ids{};
  for (std::int64_t i = begin; i < end;) {
    const float floor = std::max(search.floors[size(row)], top.floor());
    std::size_t count = 0;
    for (; count < kTogether; ++i) {
      i = kernels_.find_reaching(values, lengths.data(),
                                 search.rows.factors(row), floor, i, end);
      if (i >= end) break;
      if (!search.may(row, i)) continue;
      ids[count++] = i;
      ask_for(i);
    }
    for (std::size_t n = 0; n < count; ++n) {
      top.add({score(hidden, ids[n]), ids[n]});
    }
    search.survivors[size(thread)] += static_cast<std::int64_t>(count);
  }
}

std::vector<Best> ScreenedHead::best(const float* hidden, std::int64_t count,
                                     std::int64_t k, Allowed allowed) {
  Search& search = *search_;
  search.reset(codes_, hidden, count, k);
  search.allowed = allowed;
  std::vector<Best> best(size(count));
  parallel_region([&](int thread, Team& team) {
    for (std::int64_t r = thread; r < count; r += team.size()) {
      codes_.prepare(hidden + r * columns_, r, search.rows);
    }
    team.barrier();
    search.first_chunks.each(team.size(),
                             [&](std::int64_t p, std::int64_t end) {
                               screen_first(search, thread, p, end);
                             });
    team.barrier();
    set_floors(search, thread, team.size());
    team.barrier();
    search.chunks.each(team.size(), [&](std::int64_t p, std::int64_t end) {
      settle(search, thread, p, end);
    });
    team.barrier();
    for (std::int64_t r = thread; r < count; r += team.size()) {
      best[size(r)] = search.best(r);
    }
  });
  survivors_ = std::accumulate(search.survivors.begin(), search.survivors.end(),
                               std::int64_t{0});
  return best;
}

}  // namespace penstock::kernels
