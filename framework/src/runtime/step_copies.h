// StepCopies: what the runtime copies in each step of a loop whose Forward is
// on another device than the stages beside it: what Batch joined, and what
// Decode picked. All that may cross, tokens as well, is listed by copies.h.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "penstock/step.h"
#include "runtime/device_copies.h"

namespace penstock {

class StepCopies {
 public:
  /// `inputs`: names of those that Forward takes on its device. `device`: null:
  /// nothing is copied.
  StepCopies(std::unique_ptr<DeviceCopies> device,
             std::vector<std::string> inputs);

  /// What Batch made, for Forward: returns at once.
  void to_device(Tensors& inputs);
  /// What Decode picked, for decode(): returns when it is there. `made`, the
  /// scores as Forward gave them, becomes those of them that checks read and
  /// that came from the device just now. They come by the same wait: where
  /// nothing was picked there, decode() reads none of them, and `made` is
  /// empty. True: it waited.
  bool to_host(Result& picked, Scores& made);

 private:
  /// What is on the device and its copy.
  using Fetched = std::vector<std::pair<at::Tensor, at::Tensor>>;
  bool fetch(at::Tensor& tensor, Fetched& fetched);

  std::unique_ptr<DeviceCopies> device_;
  std::vector<std::string> inputs_;
};

/// The tensors of a pipeline's Forward that are copied to it: those that Batch
/// joins from its sequences. Tokens are not; an engine puts them where it has
/// them.
[[nodiscard]] std::vector<std::string> copied_inputs(const StageSpec& forward);

}  // namespace penstock
