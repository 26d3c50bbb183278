#include "gemma/native/head.h"

#include <ATen/TensorIndexing.h>
#include <ATen/ops/all.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "gemma/engine.h"

namespace penstock::gemma::native {
namespace {

constexpr std::int64_t kRows = Head::kTogether;
/// Most of the best scores that are screened for; with more wanted, computing
/// every score costs less.
constexpr std::int64_t kMostTop = 512;
constexpr float kLeast = -std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

float* row_of(const at::Tensor& tensor, std::int64_t row) {
  return tensor.mutable_data_ptr<float>() + row * tensor.size(1);
}

/// Whether its few allowed rows decide all that the position wants.
bool is_listed(const Position& position) {
  const TokenSet* allowed = position.allowed();
  return allowed != nullptr && allowed->is_listed();
}

bool is_finite(const float* state, std::int64_t columns) {
  return std::all_of(state, state + columns,
                     [](float x) { return std::isfinite(x); });
}

/// The logarithm of the sum of exp(score).
float log_sum(std::span<const float> scores) {
  const float most = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (const float each : scores) {
    sum += std::exp(static_cast<double>(each) - static_cast<double>(most));
  }
  return static_cast<float>(static_cast<double>(most) + std::log(sum));
}

/// Of a set's scores, where the id has one; else -inf.
float score_in(const Tokens& ids, std::span<const float> scores,
               std::int64_t id) {
  const auto found = std::lower_bound(ids.begin(), ids.end(), id);
  if (found == ids.end() || *found != id) return kLeast;
  return scores[static_cast<std::size_t>(found - ids.begin())];
}

/// The best of a set's scores; of equal ones the lower id is better.
void put_best(const Tokens& ids, std::span<const float> scores,
              std::int64_t row, Scores& all) {
  std::vector<std::size_t> order(ids.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto k =
      std::min(order.size(), static_cast<std::size_t>(all.ids.size(1)));
  std::partial_sort(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k),
      order.end(), [&](std::size_t a, std::size_t b) {
        return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
      });
  for (std::size_t i = 0; i < k; ++i) {
    all.ids.mutable_data_ptr<std::int64_t>()[row * all.ids.size(1) +
                                             static_cast<std::int64_t>(i)] =
        ids[order[i]];
    row_of(all.values, row)[i] = scores[order[i]];
  }
}

/// Places `part`'s positions among all; its tensors may be narrower.
void put(const Scores& part, std::span<const std::int64_t> rows, Scores& all) {
  const auto at = at::tensor(Tokens(rows.begin(), rows.end()));
  const auto set = [&](const at::Tensor& from, at::Tensor& to) {
    if (!from.defined()) return;
    const auto narrow = from.dim() == 1 ? to : to.narrow(1, 0, from.size(1));
    narrow.index_copy_(0, at, from);
  };
  set(part.ids, all.ids);
  set(part.values, all.values);
  set(part.full, all.full);
  set(part.norm, all.norm);
  set(part.follow, all.follow);
  set(part.at, all.at);
}

}  // namespace

/// Union of what positions want.
struct Head::Wanted {
  std::int64_t top = 0;
  std::size_t ids = 0;
  bool full = false, norm = false, follow = false;

  explicit Wanted(const std::vector<Position>& positions) {
    const Sequence* last = nullptr;
    for (const Position& position : positions) {
      if (position.sequence == last) continue;
      last = position.sequence;
      add(last->want);
    }
  }
  void add(const Want& want) {
    top = std::max(top, want.top);
    ids = std::max(ids, want.ids.size());
    full |= want.full;
    norm |= want.norm;
    follow |= want.follow;
  }
  /// Whether every score of the vocabulary is needed.
  [[nodiscard]] bool every() const { return full || norm || top > kMostTop; }
};

const Position& Head::Part::at(std::size_t i) const {
  return positions[static_cast<std::size_t>(rows[i])];
}

const float* Head::Part::state(std::size_t i) const {
  return hidden.const_data_ptr<float>() +
         static_cast<std::int64_t>(i) * hidden.size(1);
}

Head::Head(const WeightTensor& output, std::span<const float> norm)
    : vocab_(output.rows()),
      columns_(output.columns()),
      head_(output, norm, kernels::best(), /*is_mapped=*/true) {}

Scores Head::best(const Part& part, std::int64_t k) {
  const auto count = static_cast<std::int64_t>(part.rows.size());
  std::vector<const TokenSet*> allowed;
  for (std::size_t i = 0; i < part.rows.size(); ++i) {
    allowed.push_back(part.at(i).allowed());
  }
  Scores scores;
  scores.ids = at::full({count, k}, -1, at::kLong);
  scores.values = at::full({count, k}, kLeast, at::kFloat);
  const auto found = head_.best(part.state(0), count, k, allowed);
  for (std::size_t r = 0; r < found.size(); ++r) {
    const auto at = static_cast<std::int64_t>(r) * k;
    std::copy(found[r].ids.begin(), found[r].ids.end(),
              scores.ids.mutable_data_ptr<std::int64_t>() + at);
    std::copy(found[r].scores.begin(), found[r].scores.end(),
              scores.values.mutable_data_ptr<float>() + at);
  }
  return scores;
}

/// Scores of single ids: the wanted ones, and the token that follows.
void Head::pick(const Part& part, const Wanted& wanted, Scores& scores) const {
  const auto count = static_cast<std::int64_t>(part.rows.size());
  const auto width = static_cast<std::int64_t>(wanted.ids);
  if (wanted.follow) scores.follow = at::full({count}, kNan, at::kFloat);
  if (width > 0) scores.at = at::zeros({count, width}, at::kFloat);
  for (std::size_t i = 0; i < part.rows.size(); ++i) {
    const auto& [sequence, token] = part.at(i);
    const TokenSet* allowed = part.at(i).allowed();
    const auto score = [&](std::int64_t id) {
      const bool may = allowed == nullptr || allowed->contains(id);
      return may ? head_.score(part.state(i), id) : kLeast;
    };
    const auto row = static_cast<std::int64_t>(i);
    if (wanted.follow && token + 1 < sequence->length()) {
      scores.follow.mutable_data_ptr<float>()[row] =
          score(sequence->token(token + 1));
    }
    const Tokens& ids = sequence->want.ids;
    for (std::size_t n = 0; n < ids.size(); ++n) {
      row_of(scores.at, row)[n] = score(ids[n]);
    }
  }
}

/// Positions where any token, or many, may come.
Scores Head::open(const Part& part, const Step& step, const Wanted& wanted) {
  // NaN must reach Decode, which reports it.
  if (wanted.every() || !at::isfinite(part.hidden).all().item<bool>()) {
    const auto all = at::empty({part.hidden.size(0), vocab_}, at::kFloat);
    head_.all(part.state(0), part.hidden.size(0),
              all.mutable_data_ptr<float>());
    return fill_scores(all, step, part.rows);
  }
  Scores scores;
  if (wanted.top > 0) scores = best(part, std::min(wanted.top, vocab_));
  pick(part, wanted, scores);
  return scores;
}

/// A position where few tokens may come: their rows are computed once.
void Head::set_listed(const Position& position, const float* state,
                      std::int64_t row, Scores& all) const {
  const Tokens& ids = position.allowed()->ids();
  if (ids.empty()) return;
  std::vector<float> scores(ids.size());
  head_.among(state, ids, scores.data());
  if (all.full.defined()) {
    float* full = row_of(all.full, row);
    std::fill_n(full, vocab_, kLeast);
    for (std::size_t i = 0; i < ids.size(); ++i) full[ids[i]] = scores[i];
  }
  if (all.norm.defined()) {
    all.norm.mutable_data_ptr<float>()[row] = log_sum(scores);
  }
  const Sequence& sequence = *position.sequence;
  if (all.follow.defined() && position.token + 1 < sequence.length()) {
    all.follow.mutable_data_ptr<float>()[row] =
        score_in(ids, scores, sequence.token(position.token + 1));
  }
  for (std::size_t i = 0; i < sequence.want.ids.size(); ++i) {
    row_of(all.at, row)[i] = score_in(ids, scores, sequence.want.ids[i]);
  }
  if (all.ids.defined()) put_best(ids, scores, row, all);
}

/// Of steps in which some positions have few allowed tokens. What the others
/// want is then found without them.
Scores Head::mixed(const at::Tensor& hidden, const Step& step,
                   const Wanted& wanted) {
  const auto positions = scored_positions(step);
  const std::int64_t count = hidden.size(0);
  const auto like = [&](std::int64_t columns, float value) {
    return at::full({count, columns}, value, at::kFloat);
  };
  Scores all;
  const std::int64_t k = std::min(wanted.top, vocab_);
  if (k > 0) all.ids = at::full({count, k}, -1, at::kLong);
  if (k > 0) all.values = like(k, kLeast);
  if (wanted.full) all.full = like(vocab_, kNan);
  if (wanted.norm) all.norm = at::full({count}, kNan, at::kFloat);
  if (wanted.follow) all.follow = at::full({count}, kNan, at::kFloat);
  const auto width = static_cast<std::int64_t>(wanted.ids);
  if (width > 0) all.at = like(width, 0);
  Tokens others;
  for (std::int64_t row = 0; row < count; ++row) {
    const Position& position = positions[static_cast<std::size_t>(row)];
    const float* state = hidden.const_data_ptr<float>() + row * columns_;
    if (is_listed(position) && is_finite(state, columns_)) {
      set_listed(position, state, row, all);
    } else {
      others.push_back(row);
    }
  }
  for (std::size_t at = 0; at < others.size(); at += kRows) {
    const auto rows = std::span(others).subspan(
        at, std::min<std::size_t>(kRows, others.size() - at));
    const auto index = at::tensor(Tokens(rows.begin(), rows.end()));
    const Part part{positions, rows, hidden.index_select(0, index)};
    std::vector<Position> theirs;
    for (std::size_t i = 0; i < rows.size(); ++i) theirs.push_back(part.at(i));
    put(open(part, step, Wanted(theirs)), rows, all);
  }
  return all;
}

Scores Head::scores(const at::Tensor& hidden, const Step& step) {
  const auto positions = scored_positions(step);
  const Wanted wanted(positions);
  Scores scores;
  if (wants_scores(step)) {
    if (std::any_of(positions.begin(), positions.end(), is_listed)) {
      scores = mixed(hidden, step, wanted);
    } else {
      Tokens rows(positions.size());
      std::iota(rows.begin(), rows.end(), std::int64_t{0});
      const std::int64_t count = hidden.size(0);
      for (std::int64_t at = 0; at < count; at += kRows) {
        const std::int64_t size = std::min(kRows, count - at);
        const auto some = std::span(rows).subspan(
            static_cast<std::size_t>(at), static_cast<std::size_t>(size));
        const Part part{positions, some, hidden.narrow(0, at, size)};
        append(scores, open(part, step, wanted));
      }
    }
  }
  if (wants_hidden(step)) scores.hidden = hidden;
  return scores;
}

}  // namespace penstock::gemma::native
