#include "pipeline_serve/api/inference/tensor_data.h"

#include <utility>

#include "penstock/text.h"
#include "pipeline_serve/api/base64.h"
#include "pipeline_serve/api/inference/binary_tensors.h"
#include "pipeline_serve/api/inference/number_tensors.h"

namespace penstock::serve {
namespace {

/// Requests of one call.
constexpr std::int64_t kMostRows = 1024;
/// Elements of a tensor: more would not fit into any body.
constexpr std::int64_t kMostElements = std::int64_t{1} << 28U;

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string out;
  for (const std::int64_t dim : shape) out += str(out.empty() ? "" : ",", dim);
  return "[" + out + "]";
}

const InputTensor& input_of(const JsonView& tensor,
                            const Signature& signature) {
  const JsonView name = tensor.at("name");
  if (const InputTensor* found = signature.input(name.text())) return *found;
  std::vector<std::string> names;
  std::string all;
  for (const InputTensor& each : signature.inputs) {
    names.push_back(each.name);
    all += (all.empty() ? "" : ", ") + each.name;
  }
  const std::string near = suggestion(name.text(), names);
  name.fail(str("is '", name.text().substr(0, 64), "', no input of this model",
                near.empty() ? "; there are: " + all : near));
}

void check_datatype(const JsonView& tensor, const InputTensor& input) {
  const JsonView datatype = tensor.at("datatype");
  const std::string& text = datatype.text();
  if (text == input.datatype->name) return;
  datatype.fail(str("is ", text.substr(0, 64),
                    find_datatype(text) == nullptr ? ", which is none" : "",
                    "; '", input.name, "' is ", input.datatype->name));
}

/// A text or a file of each request: [n] or [n, 1].
bool is_column(const std::vector<std::int64_t>& shape) {
  return shape.size() == 1 || (shape.size() == 2 && shape[1] == 1);
}

bool fits(const std::vector<std::int64_t>& shape,
          const std::vector<std::int64_t>& dims) {
  if (shape.size() != dims.size() + 1) return false;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] >= 0 && shape[i + 1] != dims[i]) return false;
  }
  return true;
}

void check_shape(const JsonView& view, const TensorShape& tensor) {
  std::int64_t count = 1;
  for (const std::int64_t dim : tensor.shape) {
    if (dim > kMostElements / count) {
      view.fail(str("is more than ", kMostElements, " elements"));
    }
    count *= dim;
  }
  const InputTensor& input = *tensor.input;
  const bool is_tensor = input.kind == InputKind::kTensor;
  if (is_tensor ? fits(tensor.shape, input.dims) : is_column(tensor.shape)) {
    return;
  }
  std::vector<std::int64_t> wanted{-1};
  wanted.insert(wanted.end(), input.dims.begin(), input.dims.end());
  view.fail(str("is ", shape_text(tensor.shape), ", expected ",
                shape_text(wanted), is_tensor ? "" : " or [-1,1]"));
}

}  // namespace

std::size_t TensorShape::elements() const {
  std::size_t count = 1;
  for (const std::int64_t dim : shape) count *= static_cast<std::size_t>(dim);
  return count;
}

TensorShape shape_of(const JsonView& tensor, const Signature& signature,
                     const std::string& place) {
  TensorShape out;
  out.place = place;
  out.input = &input_of(tensor, signature);
  check_datatype(tensor, *out.input);
  const JsonView shape = tensor.at("shape");
  for (const JsonView& dim : shape.items()) {
    constexpr std::size_t kMostDims = 8;
    if (out.shape.size() == kMostDims) shape.fail("has too many dimensions");
    out.shape.push_back(
        dim.integer(1, out.shape.empty() ? kMostRows : kMostElements));
  }
  check_shape(shape, out);
  return out;
}

Value value_of(const InputTensor& input, std::string bytes,
               const std::string& place) {
  if (input.kind == InputKind::kMedia) {
    Media media;
    media.name = input.name;
    media.bytes = std::make_shared<const std::string>(std::move(bytes));
    return media;
  }
  if (const auto at = invalid_utf8(bytes)) {
    throw Error(Code::kData,
                str(place, " is no UTF-8 text: byte ", *at, " is wrong"));
  }
  if (input.kind == InputKind::kJson) return Json{std::move(bytes)};
  return bytes;
}

std::vector<Value> values_of(const TensorShape& tensor, const JsonView& data) {
  const auto elements = flat(tensor, data);
  if (tensor.input->kind == InputKind::kTensor) {
    return rows_of(tensor, elements, data);
  }
  std::vector<Value> out;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const std::string place = str(tensor.place, ".data[", i, "]");
    const auto* text = std::get_if<std::string>(&elements[i]->data);
    if (text == nullptr) {
      throw Error(Code::kData, place + " is no text, as BYTES are in JSON");
    }
    if (tensor.input->kind != InputKind::kMedia) {
      out.push_back(value_of(*tensor.input, *text, place));
      continue;
    }
    auto bytes = from_base64(*text);
    if (!bytes) {
      throw Error(Code::kData, place + " is no base64, as files are in JSON");
    }
    out.push_back(value_of(*tensor.input, *std::move(bytes), place));
  }
  return out;
}

std::vector<Value> values_of(const TensorShape& tensor,
                             std::string_view bytes) {
  if (tensor.input->kind == InputKind::kTensor) return rows_of(tensor, bytes);
  std::vector<Value> out;
  for (const auto element :
       unpack_bytes(bytes, tensor.elements(), tensor.place)) {
    out.push_back(value_of(*tensor.input, std::string(element),
                           str(tensor.place, ", element ", out.size())));
  }
  return out;
}

}  // namespace penstock::serve
