// Declared ports, as what a tensor is held against when it passes from one
// stage to the next: names, dtypes, ranks and the dims that are numbers.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/dtype.h"
#include "penstock/stage_spec.h"
#include "penstock/value.h"

namespace penstock::boundary {

struct TensorPort {
  std::string name, text;
  TensorShape shape;
};

/// Those of `ports` that are tensors: not media, not text, and not tokens or
/// scores, which have members of their own.
[[nodiscard]] std::vector<TensorPort> tensor_ports(
    const std::vector<Port>& ports);
/// Whether some port is the tokens of an Item or a Decoded.
[[nodiscard]] bool has_tokens(const std::vector<Port>& ports);

/// Throws Error(kInternal) where a tensor of the port's name is undefined or
/// not as declared. `sequences`: of the leading batch dim; none: there is no
/// such dim.
void check(const std::vector<TensorPort>& ports, const Tensors& tensors,
           std::optional<std::int64_t> sequences);
/// Throws where a tensor that is declared is not there; `maker` should have
/// made it.
void check_all_there(const std::vector<TensorPort>& ports,
                     const Tensors& tensors, const std::string& maker);
/// Throws where a tensor is not on the device.
void check_device(std::string_view name, const at::Tensor& tensor,
                  at::Device device);

}  // namespace penstock::boundary
