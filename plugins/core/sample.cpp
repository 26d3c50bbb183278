#include "sample.h"

#include <ATen/ops/sort.h>
#include <ATen/ops/topk.h>

#include <algorithm>
#include <cmath>

#include "random.h"

namespace penstock::core {
namespace {

std::span<const float> row_of(const at::Tensor& values, std::int64_t row) {
  const auto columns = static_cast<std::size_t>(values.size(1));
  return {values.const_data_ptr<float>() + row * values.size(1), columns};
}

Scores to_host(const Scores& scores) {
  Scores host;
  const auto move = [](const at::Tensor& tensor) {
    return tensor.defined() ? tensor.cpu().contiguous() : tensor;
  };
  host.ids = move(scores.ids);
  host.values = move(scores.values);
  host.full = move(scores.full);
  return host;
}

}  // namespace

void SampleDecode::declare(Declaration<SampleDecode>& d) {
  d.doc("Picks the next token: greedy, or by temperature, top_k, top_p, min_p")
      .input("scores: f32[R,V]")
      .output("tokens: i64[N]");
  d.param("temperature", &Params::temperature,
          "divides the scores; 0: always the best token")
      .range(0, 100)
      .per_request();
  d.param("top_k", &Params::top_k, "sample among the best k; 0: all")
      .range(0, 1 << 20)
      .per_request();
  d.param("top_p", &Params::top_p,
          "sample among the smallest set with this probability")
      .range(1e-9, 1)
      .per_request();
  d.param("min_p", &Params::min_p,
          "drop tokens below this share of the best one's probability")
      .range(0, 1)
      .per_request();
  d.param("seed", &Params::seed,
          "of the random numbers; the same seed gives "
          "the same text, alone or in a batch")
      .range(0, 9e15)
      .per_request();
  d.param("max_new_tokens", &Params::max_new_tokens,
          "tokens after which the answer ends")
      .range(1, 1 << 20)
      .per_request();
  d.param("stop_ids", &Params::stop_ids,
          "token ids that end the answer, besides the model's own")
      .range(0, 1e9)
      .per_request();
  d.param("ignore_eos", &Params::ignore_eos,
          "go on after the model's own end token")
      .per_request();
}

void SampleDecode::open(StageContext& context) {
  if (const auto eos = context.facts.find("eos_ids");
      eos != context.facts.end()) {
    eos_ids_ = std::get<Tokens>(eos->second);
  }
  if (const auto limit = context.facts.find("context_length");
      limit != context.facts.end()) {
    context_length_ = std::get<std::int64_t>(limit->second);
  }
}

const SampleDecode::Params& SampleDecode::params_of(const Row& row) const {
  return params<Params>(*this, *row.sample->request);
}

void SampleDecode::start(Row& row) {
  const Params& chosen = params_of(row);
  // Without a bound on the candidates every score is needed: the softmax runs
  // over all of them.
  if (chosen.temperature == 0) {
    row.want.top = 1;
  } else if (chosen.top_k > 0) {
    row.want.top = chosen.top_k;
  } else {
    row.want.full = true;
  }
}

std::int64_t SampleDecode::choose(const Slice& slice, const Params& params,
                                  const Scores& scores) {
  const std::int64_t at = slice.out + slice.outs - 1;
  at::Tensor values = scores.values;
  at::Tensor ids = scores.ids;
  std::int64_t row = at;
  if (slice.row->want.full) {
    std::tie(values, ids) = scores.full.narrow(0, at, 1).sort(
        /*stable=*/true, /*dim=*/1, /*descending=*/true);
    row = 0;
  }
  const auto best = row_of(values, row);
  if (!std::isfinite(best.front())) {
    throw Error(Code::kInternal,
                str("the scores after token ", slice.begin + slice.count - 1,
                    " are not finite (", best.front(), ")"));
  }
  const Sampling sampling{.temperature = params.temperature,
                          .top_k = params.top_k,
                          .top_p = params.top_p,
                          .min_p = params.min_p};
  const double random =
      uniform(static_cast<std::uint64_t>(params.seed),
              static_cast<std::uint64_t>(slice.row->branch),
              static_cast<std::uint64_t>(slice.row->generated()));
  const auto chosen = pick_index(best, sampling, random);
  return ids.const_data_ptr<std::int64_t>()[row * ids.size(1) +
                                            static_cast<std::int64_t>(chosen)];
}

Finish SampleDecode::finish(const Row& row, const Params& params,
                            std::int64_t token) const {
  const auto has = [&](const Tokens& ids) {
    return std::find(ids.begin(), ids.end(), token) != ids.end();
  };
  if (has(params.stop_ids) || (!params.ignore_eos && has(eos_ids_))) {
    return Finish::kStop;
  }
  const bool is_long = row.generated() + 1 >= params.max_new_tokens;
  const bool is_full = row.length() + 1 >= context_length_;
  return is_long || is_full ? Finish::kLength : Finish::kNo;
}

void SampleDecode::decode(const Step& step, const Result& picked,
                          std::vector<Next>& out) {
  const Scores scores = to_host(picked.scores);
  for (std::size_t i = 0; i < step.slices.size(); ++i) {
    const Slice& slice = step.slices[i];
    if (slice.outs == 0) continue;
    const Params& params = params_of(*slice.row);
    Next next;
    next.slice = i;
    try {
      const std::int64_t token = choose(slice, params, scores);
      next.finish = finish(*slice.row, params, token);
      next.tokens = {token};
      next.emit = Decoded{};
      next.emit->tokens = {token};
    } catch (const Error&) {
      next.error = std::current_exception();
    }
    out.push_back(std::move(next));
  }
}

}  // namespace penstock::core
