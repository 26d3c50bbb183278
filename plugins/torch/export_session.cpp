// Programs of torch.export, run operator by operator.
#include <torch/nativert/ModelRunnerHandle.h>

#include <algorithm>

#include "penstock/error.h"
#include "torch/quiet.h"
#include "torch/session.h"

namespace penstock::pt2 {
namespace {

/// Whether an operator writes into what it is given: "aten.relu_.default".
bool is_in_place(const std::string& target) {
  const std::string name = target.substr(0, target.rfind('.'));
  return name.ends_with('_') && !name.ends_with("__");
}

class ExportSession final : public Session {
 public:
  explicit ExportSession(const ModelHead& head)
      : head_(head),
        writes_(std::any_of(
            head.operators.begin(), head.operators.end(),
            [](const auto& each) { return is_in_place(each.first); })),
        runner_(head.path.string(), "model") {}

  std::vector<at::Tensor> run(const std::vector<at::Tensor>& inputs) override {
    std::vector<c10::IValue> values;
    values.reserve(inputs.size());
    for (const at::Tensor& input : inputs) {
      values.emplace_back(writes_ ? input.clone() : input);
    }
    const Quiet quiet;
    try {
      return owned(runner_.runWithFlatInputsAndOutputs(std::move(values)),
                   inputs);
    } catch (const std::exception& error) {
      refuse(head_, "libtorch cannot run it", error);
    }
  }

 private:
  ModelHead head_;
  bool writes_;
  ::torch::nativert::ModelRunnerHandle runner_;
};

}  // namespace

std::unique_ptr<Session> open_export(const ModelHead& head) {
  const Quiet quiet;
  try {
    return std::make_unique<ExportSession>(head);
  } catch (const std::exception& error) {
    refuse(head, "libtorch cannot load it", error);
  }
}

}  // namespace penstock::pt2
