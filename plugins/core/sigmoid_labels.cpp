#include "core/sigmoid_labels.h"

#include <ATen/ops/isfinite.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/sort.h>

#include <algorithm>

#include "core/each_item.h"
#include "penstock/keys.h"
#include "penstock/parallel.h"
#include "penstock/tensor_names.h"

namespace penstock::core {
namespace {

/// Those of scores f32[K] that are likely enough.
Decoded labels_of(const at::Tensor& scores,
                  const SigmoidLabels::Params& chosen) {
  const auto [sorted, ids] = scores.sort(/*stable=*/true, -1, true);
  const auto* const score = sorted.const_data_ptr<float>();
  const std::int64_t most = std::min(chosen.max, sorted.numel());
  std::int64_t count = 0;
  while (count < most && double{score[count]} >= chosen.threshold) ++count;
  Decoded made;
  made.tensors = {{tensors::kClasses, ids.narrow(0, 0, count).clone()},
                  {tensors::kClassScores, sorted.narrow(0, 0, count).clone()}};
  if (count == 0 && most > 0) {
    set(made.notes, kBestScore, double{score[0]});
  }
  return made;
}

}  // namespace

void SigmoidLabels::declare(Declaration<SigmoidLabels>& d) {
  d.doc("Every class that is likely enough, where any number may be right")
      .input("logits: f32[B,K]")
      .output("classes: i64[N]")
      .output("scores: f32[N]")
      .makes(kBestScore)
      .light();
  d.param("threshold", &Params::threshold, "least score of a class")
      .range(0, 1)
      .per_request();
  d.param("max", &Params::max, "most classes that are given")
      .range(1, 1 << 20)
      .per_request();
  d.param("activation", &Params::activation,
          "how the model's numbers become scores; none: they are")
      .choices({"sigmoid", "none"});
}

Result SigmoidLabels::pick(const Step& /*step*/, Result result) {
  const SerialOps serial;  // few numbers
  const at::Tensor& logits = get(result.out, tensors::kLogits);
  Result out;
  out.out = {{tensors::kClassScores,
              params_.activation == "sigmoid" ? logits.sigmoid() : logits}};
  return out;
}

void SigmoidLabels::decode(const Step& step, const Result& picked,
                           std::vector<Next>& out) {
  const SerialOps serial;
  const auto rows = get(picked.out, tensors::kClassScores).cpu();
  each_item(step, out, [&](std::int64_t i, const Item& item) {
    const at::Tensor row = rows[i];
    if (!row.isfinite().all().item<bool>()) {
      throw ForwardFault("the model's answer is not finite");
    }
    return labels_of(row, params<Params>(*this, *item.request));
  });
}

}  // namespace penstock::core
