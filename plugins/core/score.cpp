#include "core/score.h"

#include <ATen/ops/tensor.h>

#include <cmath>

#include "penstock/keys.h"

namespace penstock::core {
namespace {

/// What was scored of a slice.
struct Scored {
  Tokens ids, best;
  std::vector<float> logprobs;
};

Scored read(const Slice& slice, const Scores& scores) {
  const Sequence& sequence = *slice.sequence;
  const auto* best = scores.ids.const_data_ptr<std::int64_t>();
  const auto* norm = scores.norm.const_data_ptr<float>();
  const auto* follow = scores.follow.const_data_ptr<float>();
  Scored out;
  for (std::int64_t i = 0; i < slice.outs; ++i) {
    const std::int64_t at = slice.out + i;
    const std::int64_t next = slice.begin + slice.count - slice.outs + i + 1;
    if (next == sequence.length()) continue;  // nothing follows the last
    const float logprob = follow[at] - norm[at];
    if (!std::isfinite(norm[at]) || std::isnan(logprob)) {
      throw ForwardFault(str("the model's scores for token ", next,
                             " of the text are not finite"));
    }
    out.ids.push_back(sequence.token(next));
    out.best.push_back(best[at * scores.ids.size(1)]);
    out.logprobs.push_back(logprob);
  }
  return out;
}

}  // namespace

void Score::declare(Declaration<Score>& d) {
  d.doc("Log-likelihood of a text, or of a continuation, token by token")
      .input("scores: f32[R,V]")
      .output("ids: i64[N]")
      .output("logprobs: f32[N]")
      .output("best: i64[N]")
      .uses(kScoredFrom)
      .light();
}

std::int64_t scored_from(const Item& item) {
  return get_or(item.notes, kScoredFrom, 1);
}

void Score::start(Sequence& sequence) {
  const std::int64_t from = scored_from(*sequence.item);
  if (from < 1 || from >= sequence.length()) {
    throw Error(Code::kData,
                str("there is nothing to score: the text has ",
                    sequence.length(), " tokens, of which those from number ",
                    from, " on would be scored"));
  }
  sequence.want = Want();
  sequence.want.from = from - 1;
  sequence.want.top = 1;
  sequence.want.norm = sequence.want.follow = true;
}

void Score::decode(const Step& step, const Result& picked,
                   std::vector<Next>& out) {
  if (step.outs() == 0) return;
  const Scores scores{.ids = picked.scores.ids.cpu().contiguous(),
                      .values = {},
                      .full = {},
                      .at = {},
                      .norm = picked.scores.norm.cpu().contiguous(),
                      .follow = picked.scores.follow.cpu().contiguous(),
                      .hidden = {}};
  for (std::size_t i = 0; i < step.slices.size(); ++i) {
    const Slice& slice = step.slices[i];
    if (slice.outs == 0) continue;
    Next& next = out.emplace_back();
    next.slice = i;
    if (slice.begin + slice.count == slice.sequence->length()) {
      next.finish = Finish::kEnd;
    }
    try {
      const Scored scored = read(slice, scores);
      if (scored.ids.empty()) continue;
      next.emit.emplace_back().tensors = {
          {"ids", at::tensor(scored.ids)},
          {"logprobs", at::tensor(scored.logprobs)},
          {"best", at::tensor(scored.best)}};
    } catch (const Error& error) {
      next.error = std::current_exception();
    }
  }
}

}  // namespace penstock::core
