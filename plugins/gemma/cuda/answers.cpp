#include "gemma/cuda/answers.h"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <tuple>

#include "gemma/cuda/buffers.h"
#include "gemma/engine.h"

namespace penstock::gemma::cuda {
namespace {

/// The least of a few sizes that is enough.
template <class Number>
std::int32_t rounded(Number wanted, std::initializer_list<std::int32_t> sizes) {
  for (const std::int32_t size : sizes) {
    if (wanted <= static_cast<Number>(size)) return size;
  }
  return *std::prev(sizes.end());
}

auto key_of(const HeadWants& w) {
  return std::tuple(w.any, w.whole, w.k, w.ids, w.norm, w.masks);
}

/// Numbers at `offset`, by row.
template <class Number>
const Number* row_at(const std::byte* at, std::int64_t offset, std::size_t row,
                     std::int64_t columns) {
  return reinterpret_cast<const Number*>(at + offset) +
         static_cast<std::int64_t>(row) * columns;
}

}  // namespace

HeadWants::HeadWants(const Step& step, const std::vector<Position>& positions)
    : any(wants_scores(step)) {
  bool is_full = false;
  for (const Slice& slice : step.slices) {
    if (slice.outs == 0) continue;
    const Want& want = slice.sequence->want;
    top = std::max(top, want.top);
    wanted = std::max(wanted, want.ids.size());
    is_full |= want.full;
    norm |= want.norm;
    follow |= want.follow;
  }
  whole = is_full;
  round();
  // Of scores that are fetched, the host masks those that may not come.
  masks = !whole &&
          std::any_of(positions.begin(), positions.end(),
                      [](const Position& each) { return each.allowed(); });
}

void HeadWants::round() {
  const std::size_t single = wanted + (follow ? 1 : 0);
  whole |= top > kMostBest || single > kMostWanted;
  k = rounded(top, {1, 8, kMostBest});
  ids = rounded(single, {0, 1, 8, kMostWanted});
}

HeadWants HeadWants::next(bool will_ask_drawn) const {
  HeadWants out = *this;
  if (!will_ask_drawn) return out;
  ++out.top;
  ++out.wanted;
  out.round();
  return out;
}

std::strong_ordering HeadWants::operator<=>(const HeadWants& other) const {
  return key_of(*this) <=> key_of(other);
}
bool HeadWants::operator==(const HeadWants& other) const {
  return key_of(*this) == key_of(other);
}

AnswerLayout::AnswerLayout(const HeadWants& wants, std::int64_t rows,
                           bool is_drawn)
    : k(wants.k),
      singles(wants.ids),
      values(rows * wants.k * 4),
      norm(values + rows * wants.k * 4),
      single(norm + (wants.norm ? rows * 4 : 0)),
      drawn(single + rows * wants.ids * 4),
      bytes(drawn + (is_drawn ? rows * 4 : 0)) {}

std::int64_t AnswerLayout::most_bytes(std::int64_t rows) {
  return rows * (2 * kMostBest + 2 + kMostWanted) * 4;
}

void put_wanted_ids(const Position& position, const HeadWants& wants,
                    std::span<std::int32_t> out) {
  std::fill(out.begin(), out.end(), -1);
  const Sequence& sequence = *position.sequence;
  for (std::size_t i = 0; i < sequence.want.ids.size(); ++i) {
    out[i] = static_cast<std::int32_t>(sequence.want.ids[i]);
  }
  if (wants.follow && position.token + 1 < sequence.length()) {
    out[wants.wanted] =
        static_cast<std::int32_t>(sequence.token(position.token + 1));
  }
}

void put_mask(const TokenSet& allowed, std::span<std::uint32_t> out) {
  std::fill(out.begin(), out.end(), 0U);
  const auto put = [&](std::size_t word, std::uint32_t bits) {
    if (word < out.size()) out[word] |= bits;
  };
  if (allowed.is_listed()) {
    for (const std::int64_t id : allowed.ids()) {
      put(static_cast<std::size_t>(id / 32),
          1U << static_cast<unsigned>(id % 32));
    }
    return;
  }
  const auto bits = allowed.bits();
  for (std::size_t i = 0; i < bits.size(); ++i) {
    put(2 * i, static_cast<std::uint32_t>(bits[i]));
    put(2 * i + 1, static_cast<std::uint32_t>(bits[i] >> 32U));
  }
}

std::vector<AnswerPlace> places_of(std::span<const Position> positions) {
  std::vector<AnswerPlace> places(positions.size());
  for (std::size_t row = 0; row < places.size(); ++row) {
    places[row].row = row;
    places[row].singles.resize(positions[row].sequence->want.ids.size());
    std::iota(places[row].singles.begin(), places[row].singles.end(), 0);
  }
  return places;
}

namespace {

Scores empty_scores(std::int64_t rows, const HeadWants& wants) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kLeast = -std::numeric_limits<float>::infinity();
  Scores scores;
  if (wants.top > 0) {
    // Where a row was asked for fewer, there are no more.
    scores.ids = at::full({rows, wants.top}, -1, at::kLong);
    scores.values = at::full({rows, wants.top}, kLeast, at::kFloat);
  }
  if (wants.norm) scores.norm = at::full({rows}, kNan, at::kFloat);
  if (wants.follow) scores.follow = at::full({rows}, kNan, at::kFloat);
  const auto width = static_cast<std::int64_t>(wants.wanted);
  if (width > 0) scores.at = at::zeros({rows, width}, at::kFloat);
  return scores;
}

}  // namespace

Scores read_answers(const std::byte* at, const AnswerLayout& layout,
                    const HeadWants& wants, std::span<const Position> positions,
                    std::span<const AnswerPlace> places) {
  Scores scores = empty_scores(std::ssize(positions), wants);
  const auto width = static_cast<std::int64_t>(wants.wanted);
  const std::int64_t top = std::min<std::int64_t>(wants.top, layout.k);
  for (std::size_t to = 0; to < positions.size(); ++to) {
    const std::size_t row = places[to].row;
    const auto i = static_cast<std::int64_t>(to);
    if (top > 0) {
      std::copy_n(row_at<std::int32_t>(at, layout.ids, row, layout.k), top,
                  scores.ids.mutable_data_ptr<std::int64_t>() + i * wants.top);
      std::copy_n(row_at<float>(at, layout.values, row, layout.k), top,
                  scores.values.mutable_data_ptr<float>() + i * wants.top);
    }
    if (wants.norm) {
      scores.norm.mutable_data_ptr<float>()[i] =
          *row_at<float>(at, layout.norm, row, 1);
    }
    const float* single = row_at<float>(at, layout.single, row, layout.singles);
    const auto& singles = places[to].singles;
    for (std::size_t j = 0; j < singles.size(); ++j) {
      scores.at
          .mutable_data_ptr<float>()[i * width + static_cast<std::int64_t>(j)] =
          single[singles[j]];
    }
    const Sequence& sequence = *positions[to].sequence;
    if (wants.follow && positions[to].token + 1 < sequence.length()) {
      scores.follow.mutable_data_ptr<float>()[i] = single[width];
    }
  }
  return scores;
}

}  // namespace penstock::gemma::cuda
