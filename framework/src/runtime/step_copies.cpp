#include "runtime/step_copies.h"

#include <algorithm>
#include <utility>

#include "runtime/boundary_ports.h"

namespace penstock {

StepCopies::StepCopies(std::unique_ptr<DeviceCopies> device,
                       std::vector<std::string> inputs)
    : device_(std::move(device)), inputs_(std::move(inputs)) {}

void StepCopies::to_device(Tensors& inputs) {
  if (device_ == nullptr) return;
  for (auto& [name, tensor] : inputs) {
    const bool is_taken =
        std::find(inputs_.begin(), inputs_.end(), name) != inputs_.end();
    if (!is_taken || device_->has(tensor)) continue;
    at::Tensor from = tensor;
    if (!from.is_pinned()) {
      from = device_->pinned(tensor);
      from.copy_(tensor);
    }
    at::Tensor there = device_->on_device(tensor);
    device_->enqueue(from, there);
    tensor = std::move(there);
  }
}

/// Whether there is anything to wait for.
bool StepCopies::fetch(at::Tensor& tensor, Fetched& fetched) {
  if (!tensor.defined() || !device_->has(tensor)) return false;
  for (const auto& [there, here] : fetched) {
    if (!there.is_same(tensor)) continue;
    tensor = here;
    return true;
  }
  at::Tensor here = device_->pinned(tensor);
  device_->enqueue(tensor, here);
  fetched.emplace_back(std::exchange(tensor, here), here);
  return true;
}

bool StepCopies::to_host(Result& picked, Scores& made) {
  Scores all = std::exchange(made, {});
  if (device_ == nullptr) return false;
  Fetched fetched;
  bool is_any = false;
  for (auto& [name, tensor] : picked.out) is_any |= fetch(tensor, fetched);
  Scores& scores = picked.scores;
  for (at::Tensor* each :
       {&scores.ids, &scores.values, &scores.full, &scores.at, &scores.norm,
        &scores.follow, &scores.hidden}) {
    is_any |= fetch(*each, fetched);
  }
  if (!is_any) return false;
  if (fetch(all.ids, fetched)) made.ids = all.ids;
  if (fetch(all.values, fetched)) made.values = all.values;
  if (fetch(all.norm, fetched)) made.norm = all.norm;
  device_->wait();
  return true;
}

std::vector<std::string> copied_inputs(const StageSpec& forward) {
  std::vector<std::string> names;
  for (const auto& port : boundary::tensor_ports(forward.inputs)) {
    if (port.shape.has_batch) names.push_back(port.name);
  }
  return names;
}

}  // namespace penstock
