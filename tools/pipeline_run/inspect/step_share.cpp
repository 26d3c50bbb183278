#include "pipeline_run/inspect/step_share.h"

#include "pipeline_run/inspect/stage_json.h"

namespace penstock::run {
namespace {

/// Rows [begin, begin + count) of tensors that have `all` of them.
struct Part {
  std::int64_t begin, count, all;
};

at::Tensor part_of(const at::Tensor& tensor, const Part& tokens,
                   const Part& row) {
  for (const Part& part : {tokens, row}) {
    if (part.all > 0 && tensor.dim() > 0 && tensor.size(0) == part.all) {
      return tensor.narrow(0, part.begin, part.count);
    }
  }
  return tensor;
}

Tensors parts_of(const Tensors& tensors, const Step& step, std::size_t index) {
  Part tokens{.begin = 0, .count = step.slices[index].count, .all = 0};
  if (step.layout == Layout::kPacked) {
    for (std::size_t i = 0; i < step.slices.size(); ++i) {
      if (i < index) tokens.begin += step.slices[i].count;
      tokens.all += step.slices[i].count;
    }
  }
  const Part row{.begin = static_cast<std::int64_t>(index),
                 .count = 1,
                 .all = static_cast<std::int64_t>(step.slices.size())};
  Tensors out;
  for (const auto& [name, tensor] : tensors) {
    out.emplace_back(name, part_of(tensor, tokens, row));
  }
  return out;
}

}  // namespace

Tensors inputs_of(const Step& step, std::size_t index) {
  return parts_of(step.inputs, step, index);
}

Tensors results_of(const Step& step, const Result& result, std::size_t index) {
  Tensors out = parts_of(result.out, step, index);
  const Slice& slice = step.slices[index];
  if (slice.outs == 0) return out;
  for (const auto& [name, tensor] : named_scores(result.scores)) {
    out.emplace_back(name, tensor.narrow(0, slice.out, slice.outs));
  }
  return out;
}

const std::string& step_of(const Step& step) {
  return step.slices.front().sequence->item->request->step;
}

}  // namespace penstock::run
