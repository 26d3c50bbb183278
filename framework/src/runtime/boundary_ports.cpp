#include "runtime/boundary_ports.h"

#include <algorithm>
#include <utility>

#include "penstock/dtype.h"
#include "penstock/error.h"

namespace penstock::boundary {
namespace {

bool is_number(const std::string& dim) {
  return dim.find_first_not_of("0123456789") == dim.npos;
}

bool is_of_batch(const std::string& dim) { return dim == "B" || dim == "R"; }

bool fits(const TensorPort& port, const at::Tensor& tensor,
          std::optional<std::int64_t> sequences) {
  const std::size_t lead = sequences ? 1 : 0;
  if (tensor.scalar_type() != port.dtype) return false;
  const auto sizes = tensor.sizes();
  if (sizes.size() < lead) return false;
  if (sequences && sizes[0] != *sequences) return false;
  if (port.has_any_dims) return true;
  if (sizes.size() != port.dims.size() + lead) return false;
  for (std::size_t i = 0; i < port.dims.size(); ++i) {
    if (port.dims[i] >= 0 && sizes[i + lead] != port.dims[i]) return false;
  }
  return true;
}

}  // namespace

std::vector<TensorPort> tensor_ports(const std::vector<Port>& ports) {
  std::vector<TensorPort> out;
  for (const Port& port : ports) {
    const auto dtype = scalar_type_of(port.dtype);
    const bool is_scores = !port.dims.empty() && port.dims[0] == "R";
    if (!dtype || is_scores || port.name == "tokens") continue;
    TensorPort& made = out.emplace_back();
    made.name = port.name;
    made.text = to_string(port);
    made.dtype = *dtype;
    made.has_batch = !port.dims.empty() && is_of_batch(port.dims[0]);
    for (const std::string& dim : port.dims) {
      if (&dim == port.dims.data() && made.has_batch) continue;
      if (dim == "...") {
        made.has_any_dims = true;
        continue;
      }
      made.dims.push_back(is_number(dim) ? std::stoll(dim) : -1);
    }
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
      if (port.name != name || fits(port, tensor, sequences)) continue;
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
