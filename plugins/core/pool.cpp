#include "core/pool.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/sum.h>

#include <algorithm>

#include "penstock/tensor_names.h"

namespace penstock::core {
namespace {

/// Of the states seen so far: a long text comes in chunks.
struct Sum final : DecodeState {
  at::Tensor states;  ///< f64[D]
  std::int64_t count = 0;
};

Sum& sum_of(const Sequence& sequence) {
  // start() has put it there.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-static-cast-downcast)
  return static_cast<Sum&>(*sequence.item->state);
}

}  // namespace

void Pool::declare(Declaration<Pool>& d) {
  d.doc("One vector for a text: the mean of its hidden states, or the last")
      .input("scores: f32[R,V]")
      .output("embedding: f32[D]")
      .light();
  d.param("pool", &Params::pool,
          "mean: average the hidden states of all tokens, <bos> included; "
          "last: take the state of the last token")
      .choices({"mean", "last"})
      .per_request();
  d.param("normalize", &Params::normalize, "divide the vector by its L2 norm")
      .per_request();
}

void Pool::start(Sequence& sequence) {
  const auto& chosen = params<Params>(*this, *sequence.item->request);
  sequence.item->state = std::make_unique<Sum>();
  sequence.want = Want();
  sequence.want.from = chosen.pool == "last" ? kLast : 0;
  sequence.want.hidden = true;
}

at::Tensor Pool::embedding(const Sequence& sequence) const {
  const Sum& sum = sum_of(sequence);
  const auto mean = sum.states / static_cast<double>(sum.count);
  if (!mean.isfinite().all().item<bool>()) {
    throw ForwardFault("the model's hidden states are not finite");
  }
  const auto& chosen = params<Params>(*this, *sequence.item->request);
  const auto norm = at::linalg_vector_norm(mean).item<double>();
  const bool is_divided = chosen.normalize && norm > 0;
  return (is_divided ? mean / norm : mean).to(at::kFloat);
}

void Pool::decode(const Step& step, const Result& picked,
                  std::vector<Next>& out) {
  for (std::size_t i = 0; i < step.slices.size(); ++i) {
    const Slice& slice = step.slices[i];
    if (slice.outs == 0) continue;
    const auto part = picked.scores.hidden.narrow(0, slice.out, slice.outs)
                          .sum(0, false, at::kDouble)
                          .cpu();
    Sum& sum = sum_of(*slice.sequence);
    sum.states = sum.states.defined() ? sum.states + part : part;
    sum.count += slice.outs;
    Next& next = out.emplace_back();
    next.slice = i;
    if (slice.begin + slice.count < slice.sequence->length()) continue;
    next.finish = Finish::kEnd;
    try {
      next.emit.emplace_back().tensors = {
          {tensors::kEmbedding, embedding(*slice.sequence)}};
    } catch (const Error& error) {
      next.error = std::current_exception();
    }
  }
}

}  // namespace penstock::core
