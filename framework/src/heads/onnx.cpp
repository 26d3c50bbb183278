// ONNX: ModelProto of onnx.proto, by the numbers of its fields.
#include <map>
#include <set>

#include "base/quote.h"
#include "heads/formats.h"
#include "heads/onnx_tensor.h"
#include "penstock/error.h"

namespace penstock::heads {
namespace {

constexpr int kDeepest = 16;  ///< graphs within graphs

/// Shapes that are known before the model runs, by the name of their tensor.
using Shapes = std::map<std::string, std::vector<std::int64_t>, std::less<>>;

struct Node {
  std::vector<std::string> inputs, outputs;
  std::string name, type, domain;
};

class Reader {
 public:
  Reader(const Source& source, ModelHead& head)
      : source_(source), head_(head) {}

  void read();

 private:
  void read_opset(Fields fields);
  void read_metadata(Fields fields);
  void read_graph(Fields graph, int depth);
  void read_node(Fields fields, int depth);
  void read_attribute(Fields fields, const Node& node, int depth);
  void check_size(const Node& node) const;

  const Source& source_;
  ModelHead& head_;
  std::set<std::string, std::less<>> weights_;
  Shapes shapes_;
};

void Reader::read_opset(Fields fields) {
  std::string domain;
  std::uint64_t version = 0;
  while (fields.next()) {
    if (fields.number() == 1) domain = fields.text();
    if (fields.number() == 2) version = fields.value();
  }
  if (domain.empty() || domain == "ai.onnx") {
    head_.version = str("opset ", version);
  }
}

void Reader::read_metadata(Fields fields) {
  auto& [key, value] = head_.metadata.emplace_back();
  while (fields.next()) {
    if (fields.number() == 1) key = fields.text();
    if (fields.number() == 2) value = fields.text();
  }
}

/// A number, a name, or "".
std::string dim_of(Fields fields) {
  std::string dim;
  while (fields.next()) {
    if (fields.number() == 1) {
      // Some exporters write a dynamic dim as -1 or 0.
      const auto size = static_cast<std::int64_t>(fields.value());
      if (size > 0) dim = std::to_string(size);
    }
    // PaddlePaddle calls each "?".
    if (fields.number() == 2 && fields.bytes() != "?") dim = fields.text();
  }
  return dim;
}

void read_tensor_type(Fields fields, ModelTensor& value) {
  while (fields.next()) {
    if (fields.number() == 1) value.dtype = onnx_dtype(fields.value());
    if (fields.number() != 2) continue;
    value.has_rank = true;
    Fields shape = fields.message();
    while (shape.next()) {
      if (shape.number() == 1) value.dims.push_back(dim_of(shape.message()));
    }
  }
}

/// Of TypeProto: a tensor, or the word for what else it is.
void read_type(Fields fields, ModelTensor& value) {
  static const std::map<std::uint64_t, const char*> kOthers{
      {4, "sequence"}, {5, "map"}, {8, "sparse"}, {9, "optional"}};
  while (fields.next()) {
    if (fields.number() == 1) read_tensor_type(fields.message(), value);
    const auto other = kOthers.find(fields.number());
    if (other != kOthers.end()) value.dtype = other->second;
  }
}

ModelTensor read_value(Fields fields) {
  ModelTensor value;
  value.has_rank = false;
  while (fields.next()) {
    if (fields.number() == 1) value.name = fields.text();
    if (fields.number() == 2) read_type(fields.message(), value);
  }
  return value;
}

/// A runtime computes these before it runs, and allocates what they say.
void Reader::check_size(const Node& node) const {
  const bool is_fill = node.type == "ConstantOfShape";
  if (!is_fill && node.type != "Expand" && node.type != "Tile") return;
  const std::size_t place = is_fill ? 0 : 1;
  if (node.inputs.size() <= place) return;
  const auto shape = shapes_.find(node.inputs[place]);
  if (shape == shapes_.end() || elements_of(shape->second) >= 0) return;
  std::string dims;
  for (const auto dim : shape->second) {
    dims += str(dims.empty() ? "" : ",", dim);
  }
  throw Error(Code::kData, str(source_.name, ": node ", shown(node.name), " (",
                               node.type, ") makes a tensor of [", dims,
                               "], more than ", kMostElements, " elements"));
}

void Reader::read_attribute(Fields fields, const Node& node, int depth) {
  std::string name;
  while (fields.next()) {
    if (fields.number() == 1) name = fields.text();
    if (fields.number() == 5) {
      OnnxTensor tensor = read_onnx_tensor(source_, fields.message(), head_);
      if (node.type == "Constant" && !node.outputs.empty()) {
        shapes_[node.outputs.front()] = std::move(tensor.values);
      }
    }
    if (fields.number() == 6 || fields.number() == 11) {
      read_graph(fields.message(), depth + 1);
    }
  }
}

void Reader::read_node(Fields fields, int depth) {
  Node node;
  for (Fields field = fields; field.next();) {
    if (field.number() == 1) node.inputs.push_back(field.text());
    if (field.number() == 2) node.outputs.push_back(field.text());
    if (field.number() == 3) node.name = field.text();
    if (field.number() == 4) node.type = field.text();
    if (field.number() == 7) node.domain = field.text();
  }
  const bool is_own = node.domain.empty() || node.domain == "ai.onnx";
  head_.operators.emplace(is_own ? node.type : node.domain + "." + node.type,
                          node.name);
  while (fields.next()) {
    if (fields.number() == 5) read_attribute(fields.message(), node, depth);
  }
  check_size(node);
}

void Reader::read_graph(Fields graph, int depth) {
  if (depth > kDeepest) {
    throw Error(Code::kData, str(source_.name, ": more than ", kDeepest,
                                 " graphs are within each other"));
  }
  for (Fields field = graph; field.next();) {
    if (field.number() == 5) {
      OnnxTensor tensor = read_onnx_tensor(source_, field.message(), head_);
      if (!tensor.values.empty()) shapes_[tensor.name] = tensor.values;
      if (depth == 0) weights_.insert(std::move(tensor.name));
    }
    if (depth > 0) continue;
    if (field.number() == 11)
      head_.inputs.push_back(read_value(field.message()));
    if (field.number() == 12) {
      head_.outputs.push_back(read_value(field.message()));
    }
  }
  while (graph.next()) {
    if (graph.number() == 1) read_node(graph.message(), depth);
  }
}

void Reader::read() {
  Fields model(source_, source_.bytes);
  std::string maker;
  std::string maker_version;
  bool has_graph = false;
  while (model.next()) {
    switch (model.number()) {
      case 2:
        maker = model.text();
        break;
      case 3:
        maker_version = model.text();
        break;
      case 7:
        has_graph = true;
        read_graph(model.message(), 0);
        break;
      case 8:
        read_opset(model.message());
        break;
      case 14:
        read_metadata(model.message());
        break;
      default:
        break;
    }
  }
  if (!has_graph) {
    throw Error(Code::kData, str(source_.name,
                                 ": it is no ONNX model: there is no graph in "
                                 "it"));
  }
  std::erase_if(head_.inputs, [this](const ModelTensor& input) {
    return weights_.contains(input.name);
  });
  head_.made_by = maker_version.empty() ? maker : maker + " " + maker_version;
}

}  // namespace

void read_onnx(const Source& source, ModelHead& head) {
  Reader(source, head).read();
}

}  // namespace penstock::heads
