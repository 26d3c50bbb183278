#include "score.h"

#include <ATen/ops/tensor.h>

#include <cmath>

namespace penstock::core {
namespace {

/// What was scored of a slice.
struct Scored {
  Tokens ids, best;
  std::vector<float> logprobs;
};

Scored read(const Slice& slice, const Scores& scores) {
  const Row& row = *slice.row;
  const auto* best = scores.ids.const_data_ptr<std::int64_t>();
  const auto* norm = scores.norm.const_data_ptr<float>();
  const auto* follow = scores.follow.const_data_ptr<float>();
  Scored out;
  for (std::int64_t i = 0; i < slice.outs; ++i) {
    const std::int64_t at = slice.out + i;
    const std::int64_t next = slice.begin + slice.count - slice.outs + i + 1;
    if (next == row.length()) continue;  // nothing follows the last
    const float logprob = follow[at] - norm[at];
    if (!std::isfinite(norm[at]) || std::isnan(logprob)) {
      throw Error(Code::kInternal, str("the model's scores for token ", next,
                                       " of the text are not finite"));
    }
    out.ids.push_back(row.token(next));
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
      .output("best: i64[N]");
}

std::int64_t scored_from(const Sample& sample) {
  const auto found = sample.notes.find("scored_from");
  return found == sample.notes.end() ? 1
                                     : std::get<std::int64_t>(found->second);
}

void Score::start(Row& row) {
  const std::int64_t from = scored_from(*row.sample);
  if (from < 1 || from >= row.length()) {
    throw Error(Code::kData,
                str("there is nothing to score: the text has ", row.length(),
                    " tokens, of which those from number ", from,
                    " on would be scored"));
  }
  row.want = Want();
  row.want.from = from - 1;
  row.want.top = 1;
  row.want.norm = row.want.follow = true;
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
    if (slice.begin + slice.count == slice.row->length()) {
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
