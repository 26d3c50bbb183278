#include "core/outputs.h"

namespace penstock::core {

void Identity::declare(Declaration<Identity>& d) {
  d.doc("A model that gives what it is given: every tensor of preprocess")
      .layouts({Layout::kStacked})
      .light();
}

Result Identity::forward(const Step& step) {
  Result result;
  result.out = step.inputs;
  return result;
}

void Outputs::declare(Declaration<Outputs>& d) {
  d.doc("The model's named tensors as they are, for each item its row").light();
}

void Outputs::decode(const Step& step, const Result& picked,
                     std::vector<Next>& out) {
  Tensors rows;
  for (const auto& [name, tensor] : picked.out) {
    if (tensor.dim() == 0 ||
        tensor.size(0) != static_cast<std::int64_t>(step.slices.size())) {
      throw ForwardFault(str("'", name, "' has no row for each of the ",
                             step.slices.size(), " items of the step"));
    }
    rows.emplace_back(name, tensor.cpu());
  }
  for (std::size_t i = 0; i < step.slices.size(); ++i) {
    Next next;
    next.slice = i;
    next.finish = Finish::kEnd;
    Decoded& made = next.emit.emplace_back();
    for (const auto& [name, tensor] : rows) {
      // A copy: else one row would keep the whole step.
      made.tensors.emplace_back(name,
                                tensor[static_cast<std::int64_t>(i)].clone());
    }
    out.push_back(std::move(next));
  }
}

}  // namespace penstock::core
