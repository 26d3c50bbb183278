// What a model is given: a step's tensors, held against what the file says,
// the constants of `set` and the states of sequences.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "penstock/kept_memory.h"
#include "penstock/model_ports.h"

namespace penstock::exported {

class Binder {
 public:
  using Ranges = std::map<std::string, ModelRange>;

  /// `file` is for messages; `ranges` are the head's. All outlive it.
  Binder(const std::string& file, const ModelPorts& ports, const Ranges& ranges)
      : file_(file), ports_(ports), ranges_(ranges) {}

  /// The file's inputs in their order. item(input) and state(input) give those
  /// that are not constant; a state may be undefined: it is zeros then. Throws
  /// Error(kData) where a dtype, rank or dim is not the file's, or dims that
  /// are one in the file differ or are out of their range.
  using Give = std::function<at::Tensor(const ModelInput&)>;
  [[nodiscard]] std::vector<at::Tensor> bind(const Give& item,
                                             const Give& state) const;

 private:
  struct Known {
    std::string dim, input;
    std::int64_t size = 0;
  };
  void check(const ModelInput& input, const at::Tensor& tensor,
             std::vector<Known>& known) const;
  void check_range(const ModelInput& input, const at::Tensor& tensor,
                   std::size_t dim) const;
  /// The dims of an input that nothing gives, by the others'.
  [[nodiscard]] std::vector<std::int64_t> shape_of(
      const ModelInput& input, const std::vector<Known>& known) const;

  const std::string& file_;
  const ModelPorts& ports_;
  const Ranges& ranges_;
  KeptMemory turned_;  ///< of inputs in the file's order
};

}  // namespace penstock::exported
