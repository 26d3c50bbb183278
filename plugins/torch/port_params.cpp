#include "torch/port_params.h"

#include <utility>

#include "penstock/error.h"
#include "penstock/port.h"

namespace penstock::pt2 {
namespace {

constexpr const char* kArrow = "->";

ModelTensor tensor_of(const std::string& text) {
  try {
    Port port = parse_port(text);
    ModelTensor out;
    out.name = std::move(port.name);
    out.dtype = std::move(port.dtype);
    out.dims = std::move(port.dims);
    if (!out.dims.empty() && out.dims.back() == "...") {
      out.has_rank = false;
      out.dims.clear();
    }
    return out;
  } catch (const Error& error) {
    throw Error(Code::kData,
                str("ports: ", error.text(),
                    "; inputs are written \"x: f32[B,3]\", outputs \"-> y: "
                    "f32[B,5]\""));
  }
}

}  // namespace

void add_ports(const std::vector<std::string>& texts, ModelHead& head) {
  for (const std::string& text : texts) {
    const bool is_output = text.starts_with(kArrow);
    const auto begin = text.find_first_not_of(' ', is_output ? 2 : 0);
    auto& list = is_output ? head.outputs : head.inputs;
    list.push_back(tensor_of(begin == text.npos ? "" : text.substr(begin)));
  }
}

}  // namespace penstock::pt2
