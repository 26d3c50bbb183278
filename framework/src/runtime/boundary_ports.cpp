#include "runtime/boundary_ports.h"

#include <algorithm>
#include <utility>

#include "penstock/error.h"

namespace penstock::boundary {
std::vector<TensorPort> tensor_ports(const std::vector<Port>& ports) {
  std::vector<TensorPort> out;
  for (const Port& port : ports) {
    auto shape = tensor_shape(port);
    const bool is_scores = !port.dims.empty() && port.dims[0] == "R";
    if (!shape || is_scores || port.name == "tokens") continue;
    out.push_back({.name = port.name,
                   .text = to_string(port),
                   .shape = *std::move(shape)});
  }
  return out;
}

bool has_tokens(const std::vector<Port>& ports) {
  return std::any_of(ports.begin(), ports.end(), [](const Port& port) {
    return port.name == "tokens" && port.dtype == "i64";
  });
}

void check(const std::vector<TensorPort>& ports, const Tensors& tensors,
           std::optional<std::int64_t> sequences) {
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.defined()) {
      throw Error(Code::kInternal,
                  str("'", name, "' is no tensor: it was never given one"));
    }
    for (const TensorPort& port : ports) {
      if (port.name != name || fits(tensor, port.shape, sequences)) continue;
      throw Error(Code::kInternal, str("'", name, "' is ", tensor_type(tensor),
                                       ", but ", port.text, " is declared",
                                       sequences ? str(", and the step has ",
                                                       *sequences, " sequences")
                                                 : ""));
    }
  }
}

void check_all_there(const std::vector<TensorPort>& ports,
                     const Tensors& tensors, const std::string& maker) {
  for (const TensorPort& port : ports) {
    if (find(tensors, port.name) != nullptr) continue;
    std::string there;
    for (const auto& [name, tensor] : tensors) {
      there += str(there.empty() ? "'" : ", '", name, "'");
    }
    throw Error(Code::kInternal,
                str("'", port.name, "' is missing, but ", port.text, " is ",
                    maker, "; there is ", there.empty() ? "nothing" : there));
  }
}

void check_device(std::string_view name, const at::Tensor& tensor,
                  at::Device device) {
  const at::Device is = tensor.device();
  const bool is_there = is.type() == device.type() &&
                        (!device.has_index() || is.index() == device.index());
  if (is_there) return;
  throw Error(Code::kInternal, str("'", name, "' is on ", is.str(),
                                   ", expected on ", device.str()));
}

}  // namespace penstock::boundary
