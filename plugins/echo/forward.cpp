#include "echo/forward.h"

#include <ATen/ops/zeros.h>

#include "echo/vocabulary.h"
#include "penstock/keys.h"
#include "penstock/parallel.h"

namespace penstock::echo {
namespace {

/// What follows the first `length` tokens.
std::int64_t next_token(const Sequence& sequence, std::int64_t length) {
  const Tokens& prompt = sequence.item->tokens;
  const auto count = static_cast<std::int64_t>(prompt.size());
  if (length >= 2 * count) return kEnd;
  return prompt[static_cast<std::size_t>(length % count)];
}

}  // namespace

void EchoForward::declare(Declaration<EchoForward>& d) {
  d.doc("A model that needs no file: says the prompt again")
      .input("tokens: i64[T]")
      .output("scores: f32[R,V]")
      .layouts({Layout::kPacked, Layout::kPadded})
      .makes(kVocabSize, kEosIds)
      .light();
  d.param("confidence", &Params::confidence,
          "the score of the next token; every other token's is 0")
      .range(0, 100);
}

void EchoForward::open(StageContext& context) {
  slots_ = context.slots;
  set(context.facts, kVocabSize, kTokens);
  set(context.facts, kEosIds, {kEnd});
}

Caps EchoForward::caps() const {
  return {.slots = slots_,
          .rollback = kAll,
          .whole = kAll,
          .can_copy = true,
          .can_chunk = true};
}

Result EchoForward::forward(const Step& step) {
  const SerialOps serial;  // few numbers
  auto logits = at::zeros({step.outs(), kTokens}, at::kFloat);
  auto* row = logits.mutable_data_ptr<float>();
  for (const Slice& slice : step.slices) {
    const std::int64_t end = slice.begin + slice.count;
    for (std::int64_t at = end - slice.outs; at < end; ++at) {
      row[next_token(*slice.sequence, at + 1)] =
          static_cast<float>(params_.confidence);
      row += kTokens;
    }
  }
  Result result;
  result.scores = fill_scores(logits, step);
  return result;
}

}  // namespace penstock::echo
