#include "pipeline_serve/api/inference/inference_request.h"

#include <algorithm>
#include <utility>

#include "pipeline_serve/api/inference/tensor_data.h"

namespace penstock::serve {
namespace {

/// Reads the tensors of one call, one after another.
class Reader {
 public:
  Reader(const SplitBody& body, const Signature& signature)
      : body_(body), left_(body.tensors), signature_(signature) {}

  InferenceRequest operator()(const JsonView& view) {
    check_keys(view, {"id", "parameters", "inputs", "outputs"});
    if (const auto id = view.find("id")) out_.id = id->text();
    if (const auto all = view.find("parameters")) read_parameters(*all);
    const auto inputs = view.at("inputs").items();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      read_input(inputs[i], str("inputs[", i, "]"));
    }
    if (!left_.empty()) {
      throw Error(Code::kData,
                  str(left_.size(), " bytes are left behind the tensors"));
    }
    if (out_.rows.empty()) out_.rows.emplace_back();
    check_inputs(out_.rows.front(), signature_);
    read_outputs(view.find("outputs"));
    return std::move(out_);
  }

 private:
  void read_parameters(const JsonView& all) {
    for (const auto& [name, value] : all.members()) {
      if (name == "binary_data_output") {
        is_binary_ = value.boolean();
      } else if (name == "timeout") {
        out_.timeout =
            std::chrono::microseconds(value.integer(0, std::int64_t{1} << 50U));
      } else if (name == "priority") {
        // Everybody waits in one queue; 0 is everybody's.
        (void)value.integer(0, 0);
      } else {
        out_.options.add(name, value);
      }
    }
  }

  void read_input(const JsonView& tensor, const std::string& place) {
    check_keys(tensor, {"name", "shape", "datatype", "parameters", "data"});
    const TensorShape shape = shape_of(tensor, signature_, place);
    const bool is_first = out_.rows.empty();
    if (is_first) out_.rows.resize(shape.rows());
    if (shape.rows() != out_.rows.size()) {
      tensor.at("shape").fail(str("is for ", shape.rows(), " requests, that ",
                                  "of the input before for ",
                                  out_.rows.size()));
    }
    if (out_.rows.front().contains(shape.input->name)) {
      tensor.at("name").fail(str("is '", shape.input->name, "' again"));
    }
    if (shape.input->kind != InputKind::kTensor && shape.shape.size() == 2) {
      out_.is_column = true;
    }
    auto values = values_in(tensor, shape);
    for (std::size_t i = 0; i < values.size(); ++i) {
      out_.rows[i][shape.input->name] = std::move(values[i]);
    }
  }

  std::vector<Value> values_in(const JsonView& tensor,
                               const TensorShape& shape) {
    const auto size = binary_size(tensor);
    if (!size) return values_of(shape, tensor.at("data"));
    if (tensor.find("data")) {
      tensor.at("data").fail("is there beside binary_data_size");
    }
    const auto bytes = left_.substr(0, *size);
    left_.remove_prefix(*size);
    return values_of(shape, bytes);
  }

  std::optional<std::size_t> binary_size(const JsonView& tensor) const {
    const auto all = tensor.find("parameters");
    if (!all) return {};
    check_keys(*all, {"binary_data_size"});
    const auto size = all->find("binary_data_size");
    if (!size) return {};
    if (!body_.is_binary) size->fail(str("needs the header ", kHeaderLength));
    const auto bytes =
        static_cast<std::size_t>(size->integer(0, std::int64_t{1} << 50U));
    if (bytes > left_.size()) {
      size->fail(str("is ", bytes, ", but ", left_.size(), " bytes are left"));
    }
    return bytes;
  }

  void read_outputs(const std::optional<JsonView>& wanted) {
    const auto asked = wanted ? wanted->items() : std::vector<JsonView>();
    for (const JsonView& each : asked) read_output(each);
    if (!asked.empty()) return;
    for (const OutputTensor& tensor : signature_.outputs) {
      out_.outputs.push_back({.tensor = &tensor, .is_binary = is_binary_});
    }
  }

  void read_output(const JsonView& view) {
    check_keys(view, {"name", "parameters"});
    const JsonView name = view.at("name");
    const OutputTensor* tensor = signature_.output(name.text());
    if (tensor == nullptr) refuse_output(name);
    for (const WantedOutput& other : out_.outputs) {
      if (other.tensor == tensor) {
        name.fail(str("is '", tensor->name, "' again"));
      }
    }
    bool is_binary = is_binary_;
    if (const auto all = view.find("parameters")) {
      check_keys(*all, {"binary_data"});
      const auto flag = all->find("binary_data");
      if (flag) is_binary = flag->boolean();
    }
    out_.outputs.push_back({.tensor = tensor, .is_binary = is_binary});
  }

  [[noreturn]] void refuse_output(const JsonView& name) const {
    std::string all;
    for (const OutputTensor& each : signature_.outputs) {
      all += (all.empty() ? "" : ", ") + each.name;
    }
    name.fail(str("is '", name.text().substr(0, 64),
                  "', no output of this model; there are: ", all));
  }

  const SplitBody& body_;
  std::string_view left_;
  const Signature& signature_;
  InferenceRequest out_;
  bool is_binary_ = false;
};

/// The body is one element: a file, sent as it is.
InferenceRequest parse_raw(std::string_view bytes, const Signature& signature) {
  const InputTensor& input = signature.inputs.front();
  if (input.kind == InputKind::kTensor) {
    throw Error(Code::kData, str(kHeaderLength, " 0 is for BYTES, but '",
                                 input.name, "' is ", input.datatype->name));
  }
  InferenceRequest out;
  out.rows.emplace_back()[input.name] =
      value_of(input, std::string(bytes), "the body");
  check_inputs(out.rows.front(), signature);
  for (const OutputTensor& tensor : signature.outputs) {
    out.outputs.push_back({.tensor = &tensor, .is_binary = false});
  }
  return out;
}

}  // namespace

void check_keys(const JsonView& view, const std::vector<std::string>& known) {
  for (const auto& [name, value] : view.members()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      value.fail("is not known here" + suggestion(name, known));
    }
  }
}

void check_inputs(const std::map<std::string, Value>& inputs,
                  const Signature& signature) {
  bool has_any = false;
  for (const InputTensor& input : signature.inputs) {
    const bool is_there = inputs.contains(input.name);
    has_any = has_any || is_there;
    if (is_there || input.is_optional) continue;
    throw Error(Code::kData, str("inputs: '", input.name, "' is missing"));
  }
  if (!has_any && !signature.inputs.empty()) {
    throw Error(Code::kData, str("inputs: '", signature.inputs.front().name,
                                 "' is missing"));
  }
}

JsonValue parse_inference_json(std::string_view text) {
  // Its size was looked at while it came.
  JsonValue json =
      parse_json(text, kInferenceBody, {.bytes = text.size(), .depth = 32});
  (void)JsonView(json, kInferenceBody).members();
  return json;
}

InferenceRequest parse_inference(const SplitBody& body,
                                 const Signature& signature) {
  if (body.is_binary && body.json.empty()) {
    return parse_raw(body.tensors, signature);
  }
  const JsonValue json = parse_inference_json(body.json);
  return Reader(body, signature)(JsonView(json, kInferenceBody));
}

}  // namespace penstock::serve
