// What is scored in a step, and from every score to what the sequences asked
// for.
#include <ATen/ops/argmax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/topk.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "penstock/forward.h"

namespace penstock {
namespace {

constexpr double kLeast = -std::numeric_limits<double>::infinity();

bool is_masked(const std::vector<Position>& where) {
  return std::any_of(where.begin(), where.end(),
                     [](const Position& each) { return each.allowed(); });
}

/// The set as bool[vocab].
at::Tensor mask_of(const TokenSet& set, std::int64_t vocab) {
  auto mask = at::zeros({vocab}, at::kBool);
  auto* out = mask.mutable_data_ptr<bool>();
  if (set.is_listed()) {
    for (const std::int64_t id : set.ids()) {
      if (id < vocab) out[id] = true;
    }
    return mask;
  }
  for (std::int64_t id = 0; id < vocab; ++id) out[id] = set.contains(id);
  return mask;
}

/// The scores with those that are not allowed at -inf.
at::Tensor masked(const at::Tensor& logits,
                  const std::vector<Position>& where) {
  at::Tensor out = logits.clone();
  for (std::size_t i = 0; i < where.size(); ++i) {
    const TokenSet* allowed = where[i].allowed();
    if (allowed == nullptr) continue;
    const auto mask = mask_of(*allowed, logits.size(1)).to(logits.device());
    out[static_cast<std::int64_t>(i)].masked_fill_(mask.logical_not(), kLeast);
  }
  return out;
}

/// Where fewer are allowed than were asked for.
void name_none(const std::vector<Position>& where, Scores& scores) {
  for (std::size_t i = 0; i < where.size(); ++i) {
    if (where[i].allowed() == nullptr) continue;
    const auto row = static_cast<std::int64_t>(i);
    scores.ids[row].masked_fill_(scores.values[row].eq(kLeast), -1);
  }
}

at::Tensor pick(const at::Tensor& logits, const at::Tensor& ids) {
  return logits.gather(1, ids.to(logits.device()));
}

at::Tensor follow(const at::Tensor& logits,
                  const std::vector<Position>& where) {
  std::vector<std::int64_t> ids;
  std::vector<std::int64_t> last;
  for (std::size_t i = 0; i < where.size(); ++i) {
    const Sequence* sequence = where[i].sequence;
    const std::int64_t next = where[i].token + 1;
    const bool is_last = next >= sequence->length();
    ids.push_back(is_last ? 0 : sequence->token(next));
    if (is_last) last.push_back(static_cast<std::int64_t>(i));
  }
  at::Tensor scores = pick(logits, at::tensor(ids).unsqueeze(1)).squeeze(1);
  for (const std::int64_t i : last) {
    scores[i] = std::numeric_limits<double>::quiet_NaN();
  }
  return scores;
}

at::Tensor wanted_ids(const std::vector<Position>& where, std::size_t most) {
  std::vector<std::int64_t> ids;
  for (const auto& [sequence, token] : where) {
    ids.insert(ids.end(), sequence->want.ids.begin(), sequence->want.ids.end());
    ids.resize(ids.size() + most - sequence->want.ids.size(), 0);
  }
  return at::tensor(ids).view({static_cast<std::int64_t>(where.size()),
                               static_cast<std::int64_t>(most)});
}

/// The logarithm of the sum of exp(score), [R]. libtorch gives the sum of few
/// long sequences to several threads and that of many to one each, so its last
/// bits depend on threads and neighbours; those of short blocks never do.
at::Tensor log_sum(const at::Tensor& logits) {
  constexpr std::int64_t kBlock = 2048;
  const std::int64_t sequences = logits.size(0);
  const std::int64_t whole = logits.size(1) / kBlock * kBlock;
  std::vector<at::Tensor> parts;
  if (whole > 0) {
    parts.push_back(logits.narrow(1, 0, whole)
                        .reshape({sequences, whole / kBlock, kBlock})
                        .logsumexp(2));
  }
  if (whole < logits.size(1)) {
    const auto rest = logits.narrow(1, whole, logits.size(1) - whole);
    parts.push_back(rest.logsumexp(1, /*keepdim=*/true));
  }
  return parts.size() == 1 && whole == 0 ? parts[0].squeeze(1)
                                         : at::cat(parts, 1).logsumexp(1);
}

}  // namespace

std::vector<std::int64_t> wanted_places(const Step& step) {
  std::vector<std::int64_t> places;
  places.reserve(static_cast<std::size_t>(step.outs()));
  std::int64_t end = 0;
  for (const Slice& slice : step.slices) {
    end += slice.count;
    for (std::int64_t i = end - slice.outs; i < end; ++i) places.push_back(i);
  }
  return places;
}

std::vector<Position> scored_positions(const Step& step) {
  std::vector<Position> out;
  out.reserve(static_cast<std::size_t>(step.outs()));
  for (const Slice& slice : step.slices) {
    const std::int64_t end = slice.begin + slice.count;
    for (std::int64_t i = end - slice.outs; i < end; ++i) {
      out.push_back({slice.sequence, i});
    }
  }
  return out;
}

Scores fill_scores(const at::Tensor& logits, const Step& step,
                   std::int64_t first) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(logits.size(0)));
  std::iota(rows.begin(), rows.end(), first);
  return fill_scores(logits, step, rows);
}

Scores fill_scores(const at::Tensor& logits, const Step& step,
                   std::span<const std::int64_t> rows) {
  std::int64_t top = 0;
  std::size_t ids = 0;
  bool full = false;
  bool norm = false;
  bool has_follow = false;
  for (const Slice& slice : step.slices) {
    if (slice.outs == 0) continue;
    const Want& want = slice.sequence->want;
    top = std::max(top, want.top);
    ids = std::max(ids, want.ids.size());
    full |= want.full;
    norm |= want.norm;
    has_follow |= want.follow;
  }
  const auto all = scored_positions(step);
  std::vector<Position> where;
  for (const std::int64_t row : rows) {
    where.push_back(all.at(static_cast<std::size_t>(row)));
  }
  const bool has_masks = is_masked(where);
  const at::Tensor allowed = has_masks ? masked(logits, where) : logits;
  Scores scores;
  top = std::min(top, logits.size(1));
  if (top == 1) {
    // As topk, ties go to the lowest id, and a NaN wins, so that it is seen.
    scores.ids = allowed.argmax(1, /*keepdim=*/true);
    scores.values = allowed.gather(1, scores.ids);
  } else if (top > 1) {
    std::tie(scores.values, scores.ids) = allowed.topk(top, 1);
  }
  if (has_masks && top > 0) name_none(where, scores);
  if (full) scores.full = allowed;
  if (norm) scores.norm = log_sum(allowed);
  if (has_follow) scores.follow = follow(allowed, where);
  if (ids > 0) scores.at = pick(allowed, wanted_ids(where, ids));
  return scores;
}

}  // namespace penstock
