#include "core/top.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/topk.h>

#include <algorithm>

#include "core/each_item.h"
#include "penstock/parallel.h"
#include "penstock/tensor_names.h"

namespace penstock::core {

void Top::declare(Declaration<Top>& d) {
  d.doc("Best classes of a classifier, with their probabilities")
      .input("logits: f32[B,K]")
      .output("classes: i64[N]")
      .output("scores: f32[N]")
      .light();
  d.param("top_k", &Params::top_k, "most classes that are given")
      .range(1, 1 << 20)
      .per_request();
  d.param("activation", &Params::activation,
          "how logits become scores: softmax where one class is right, sigmoid "
          "where any number may be, none")
      .choices({"softmax", "sigmoid", "none"})
      .per_request();
}

Result Top::pick(const Step& step, Result result) {
  const SerialOps serial;  // few numbers
  // Few numbers leave the device: the most that any row asks for.
  const at::Tensor& logits = get(result.out, tensors::kLogits);
  std::int64_t most = 1;
  for (const Slice& slice : step.slices) {
    most = std::max(
        most, params<Params>(*this, *slice.sequence->item->request).top_k);
  }
  const auto [values, ids] = logits.topk(std::min(most, logits.size(-1)));
  Result out;
  out.out = {
      {"ids", ids},
      {"none", values},
      {"softmax", (values - logits.logsumexp(-1, /*keepdim=*/true)).exp()},
      {"sigmoid", values.sigmoid()}};
  return out;
}

void Top::decode(const Step& step, const Result& picked,
                 std::vector<Next>& out) {
  const SerialOps serial;
  const auto ids = get(picked.out, "ids").cpu();
  const auto raw = get(picked.out, "none").cpu();
  each_item(step, out, [&](std::int64_t row, const Item& item) {
    if (!raw[row].isfinite().all().item<bool>()) {
      throw ForwardFault("the model's answer is not finite");
    }
    const auto& chosen = params<Params>(*this, *item.request);
    const std::int64_t count = std::min(chosen.top_k, ids.size(1));
    const auto scores = get(picked.out, chosen.activation).cpu();
    Decoded made;
    made.tensors = {
        {tensors::kClasses, ids[row].narrow(0, 0, count).contiguous()},
        {tensors::kClassScores, scores[row].narrow(0, 0, count).contiguous()}};
    return made;
  });
}

}  // namespace penstock::core
