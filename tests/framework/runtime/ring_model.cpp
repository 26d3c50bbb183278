#include "tests/framework/runtime/ring_model.h"

#include <ATen/ops/tensor.h>

#include <algorithm>
#include <limits>
#include <thread>

#include "penstock/keys.h"

namespace penstock::fakes {
namespace {

std::uint64_t mix(std::uint64_t h, std::uint64_t v) {
  h ^= v + 0x9E3779B97F4A7C15U + (h << 6U) + (h >> 2U);
  h *= 0xFF51AFD7ED558CCDU;
  return h ^ (h >> 33U);
}

void require(bool is_true, const char* what) {
  if (!is_true) throw Error(Code::kInternal, what);
}

}  // namespace

float score_of(const Tokens& recent, std::int64_t v) {
  std::uint64_t h = 1;
  for (const std::int64_t token : recent) {
    h = mix(h, static_cast<std::uint64_t>(token));
  }
  return static_cast<float>(mix(h, static_cast<std::uint64_t>(v)) % 100000) /
         1000.0F;
}

void RingModel::declare(Declaration<RingModel>& d) {
  d.doc("A model whose cache is a ring.")
      .input("tokens: i64[T]")
      .output("scores: f32[R,V]")
      .layouts({Layout::kPacked, Layout::kPadded})
      .makes(kContextLength, kEosIds);
  d.param("script", &Params::script, "what happens when");
}

void RingModel::open(StageContext& context) {
  if (script_.in_forwards_open) script_.in_forwards_open(context);
  set(context.facts, kContextLength, 200);
  set(context.facts, kEosIds, {});
  const auto slots = script_.is_stateful ? std::max(script_.slots, 0) : 0;
  rings_.resize(static_cast<std::size_t>(slots));
  for (int i = 0; i < slots; ++i) release(i);
}

Caps RingModel::caps() const {
  return {.slots = static_cast<int>(rings_.size()),
          .rollback = script_.rollback,
          .whole = script_.whole,
          .can_copy = script_.can_copy,
          .can_chunk = script_.can_chunk && script_.is_stateful};
}

void RingModel::release(int slot) noexcept {
  // Rings as large as the longest chunk needs.
  ring(slot) = {.cells = std::vector<Cell>(256), .length = 0, .most = 0};
}

void RingModel::truncate(int slot, std::int64_t length) {
  Ring& it = ring(slot);
  require(length <= it.length && (it.length - length <= script_.rollback ||
                                  it.most <= script_.whole),
          "truncated by more than rollback");
  it.length = length;
}

void RingModel::copy(int from, int to) {
  require(ring(to).length == 0, "copied into a slot in use");
  ring(to) = ring(from);
}

std::vector<Tokens> RingModel::shown(const Step& step) {
  std::vector<Tokens> sequences;
  std::int64_t at = 0;
  for (std::size_t r = 0; r < step.slices.size(); ++r) {
    Tokens& sequence = sequences.emplace_back();
    if (step.layout == Layout::kPacked) {
      const auto& tokens = get(step.inputs, "tokens");
      for (std::int64_t i = 0; i < step.slices[r].count; ++i) {
        sequence.push_back(tokens.const_data_ptr<std::int64_t>()[at++]);
      }
      continue;
    }
    const auto& ids = get(step.inputs, "input_ids");
    const auto& mask = get(step.inputs, "attention_mask");
    const std::int64_t width = ids.size(1);
    for (std::int64_t i = 0; i < width; ++i) {
      const auto at_i = static_cast<std::int64_t>(r) * width + i;
      if (mask.const_data_ptr<std::int64_t>()[at_i] == 1) {
        sequence.push_back(ids.const_data_ptr<std::int64_t>()[at_i]);
      }
    }
  }
  return sequences;
}

void RingModel::score(const Slice& slice, const Tokens& tokens,
                      std::vector<float>& out) {
  Ring local{.cells = std::vector<Cell>(256), .length = 0, .most = 0};
  Ring& it = script_.is_stateful ? ring(slice.sequence->slot) : local;
  const auto size = static_cast<std::int64_t>(it.cells.size());
  require(it.length == slice.begin, "the slot holds another prefix");
  require(static_cast<std::int64_t>(tokens.size()) == slice.count,
          "the rectangle does not match the slices");
  for (const std::int64_t token : tokens) {
    it.cells[static_cast<std::size_t>(it.length % size)] = {it.length, token};
    ++it.length;
  }
  it.most = std::max(it.most, it.length);
  bool is_nan = false;
  for (std::int64_t p = it.length - slice.outs; p < it.length; ++p) {
    Tokens recent;
    for (auto q = std::max<std::int64_t>(0, p - kWindow + 1); q <= p; ++q) {
      const Cell& cell = it.cells[static_cast<std::size_t>(q % size)];
      require(cell.position == q, "a token in reach was lost");
      recent.push_back(cell.token);
    }
    is_nan |= slice.sequence->item->tokens.front() == script_.nan_after;
    for (std::int64_t v = 0; v < kVocab; ++v) {
      out.push_back(is_nan ? std::numeric_limits<float>::quiet_NaN()
                           : score_of(recent, v));
    }
  }
}

Result RingModel::forward(const Step& step) {
  if (script_.in_forward) script_.in_forward(step);
  if (script_.forward_time.count() > 0) {
    std::this_thread::sleep_for(script_.forward_time);
  }
  if (++script_.calls == script_.throw_at_call) {
    throw std::runtime_error("the model broke");
  }
  const auto sequences = shown(step);
  std::vector<float> scores;
  for (std::size_t r = 0; r < sequences.size(); ++r) {
    script_.computed += step.slices[r].count;
    score(step.slices[r], sequences[r], scores);
  }
  Result result;
  if (scores.empty()) return result;
  auto logits = at::tensor(scores).view({-1, kVocab});
  result.scores = fill_scores(logits, step);
  if (script_.wrong_shape) {
    result.scores.values = result.scores.values.narrow(0, 0, 0);
  }
  return result;
}

}  // namespace penstock::fakes
