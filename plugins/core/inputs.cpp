#include "core/inputs.h"

#include <map>
#include <set>

#include "core/json_tensor.h"
#include "penstock/dtype.h"

namespace penstock::core {
namespace {

std::string fault_of(const std::vector<std::string>& texts) {
  if (texts.empty()) {
    return "tensors: name what a request gives, such as [\"x: f32[4]\"]";
  }
  std::set<std::string> names;
  for (const std::string& text : texts) {
    try {
      const Port port = parse_port(text);
      if (!scalar_type_of(port.dtype)) {
        return str("tensors: '", text, "': ", port.dtype,
                   " is no dtype of tensors");
      }
      if (!names.insert(port.name).second) {
        return str("tensors: two are named '", port.name, "'");
      }
    } catch (const Error&) {
      return str("tensors: '", text, "' is not written as \"x: f32[3,N]\"");
    }
  }
  return "";
}

/// `sizes`: what the names of dims are in this request.
void check(const Port& port, const at::Tensor& given,
           std::map<std::string, std::int64_t>& sizes) {
  const auto fail = [&](const std::string& more) {
    throw Error(Code::kData,
                str("input '", port.name, "' is ", tensor_type(given),
                    ", expected ", to_string(port), more));
  };
  if (!fits(given, *tensor_shape(port))) fail("");
  const auto dims = own_dims(port);
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const std::string& dim = dims[i];
    if (dim == "...") break;
    if (fixed_dim(dim)) continue;
    const std::int64_t size = given.size(static_cast<std::int64_t>(i));
    const auto [known, is_new] = sizes.emplace(dim, size);
    if (!is_new && known->second != size) {
      fail(str(", and ", dim, " is ", known->second, " in another input"));
    }
  }
}

}  // namespace

void Inputs::declare(Declaration<Inputs>& d) {
  d.doc("Named tensors of the request as they are: numbers that somebody has")
      .light();
  d.param("tensors", &Params::tensors,
          "what a request gives, with dtype and dims: [\"x: f32[4]\", \"mask: "
          "i64[T]\"]");
  d.param("max_values", &Params::max_values,
          "most numbers of a tensor; more is an error")
      .range(1, 1'000'000'000);
  d.check([](const Params& p) { return fault_of(p.tensors); });
}

Ports Inputs::describe(const Params& params) {
  Ports ports;
  for (const std::string& text : params.tensors) {
    ports.inputs.push_back(parse_port(text));
  }
  ports.outputs = ports.inputs;
  return ports;
}

Inputs::Inputs(const Params& params)
    : params_(params), ports_(describe(params).inputs) {}

void Inputs::preprocess(const Request& request, Item in, ItemSink& out) const {
  std::map<std::string, std::int64_t> sizes;
  for (const Port& port : ports_) {
    const auto found = request.inputs.find(port.name);
    if (found == request.inputs.end()) {
      throw Error(Code::kData, str("the request has no input '", port.name,
                                   "'; expected ", to_string(port)));
    }
    at::Tensor made;
    const Value& value = found->second;
    const auto* json = std::get_if<Json>(&value);
    const auto* text =
        json != nullptr ? &json->text : std::get_if<std::string>(&value);
    if (const auto* tensors = std::get_if<Tensors>(&value)) {
      // What another step made may be called something else.
      made = tensors->size() == 1 ? tensors->front().second
                                  : get(*tensors, port.name);
    } else if (text != nullptr) {
      made = json_tensor(*text, port.name, *scalar_type_of(port.dtype),
                         params_.max_values);
    } else {
      throw Error(Code::kData,
                  str("input '", port.name, "': expected numbers, as ",
                      to_string(port), ", not a file"));
    }
    check(port, made, sizes);
    if (made.numel() > params_.max_values) {
      throw Error(Code::kData, str("input '", port.name, "' has ", made.numel(),
                                   " numbers; at most ", params_.max_values,
                                   " are taken (max_values)"));
    }
    in.inputs.emplace_back(port.name, made);
  }
  out.push(std::move(in));
}

}  // namespace penstock::core
