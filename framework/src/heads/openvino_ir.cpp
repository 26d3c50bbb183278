// OpenVINO's own format: net/layers/layer in an .xml, weights in the .bin of
// the same name beside it.
#include <algorithm>
#include <charconv>
#include <map>

#include "base/quote.h"
#include "heads/formats.h"
#include "heads/xml.h"
#include "penstock/error.h"
#include "penstock/port.h"

namespace penstock::heads {
namespace {

constexpr std::size_t kDeepest = 64;

struct Layer {
  std::string id, name, type, output_names;
  ModelTensor tensor;  ///< of its first port
  bool has_port = false;
  int ports = 0;
};

std::string dtype_of(std::string word) {
  for (char& c : word) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  if (word.starts_with("fp")) word = "f" + word.substr(2);
  return word == "boolean" ? "bool" : word;
}

/// The first of "a,b", where a comma of a name is written \, .
std::string first_of(const std::string& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && names[i] != ','; ++i) {
    if (names[i] == '\\' && i + 1 < names.size()) ++i;
    out += names[i];
  }
  return out;
}

class Reader {
 public:
  Reader(const Source& source, ModelHead& head)
      : source_(source), head_(head) {}

  void read();

 private:
  [[nodiscard]] bool is_at(std::initializer_list<std::string_view> path) const {
    return std::equal(path_.begin(), path_.end(), path.begin(), path.end());
  }
  void open(const Tag& tag);
  void close();
  void read_in_layer(const Tag& tag);
  void read_port(const Tag& tag);
  void read_dim(const Tag& tag);
  void read_edge(const Tag& tag);
  void read_info(const Tag& tag);
  void read_data(const Tag& tag);
  void finish_layer();
  void check_weights();
  std::uint64_t number_of(const std::string& text, const Tag& tag) const;

  const Source& source_;
  ModelHead& head_;
  std::vector<std::string_view> path_;
  Layer layer_;
  bool has_net_ = false;
  std::uint64_t weights_end_ = 0;
  /// Outputs by their layer's id, of files that do not name them.
  std::map<std::string, std::size_t> unnamed_;
  std::map<std::pair<std::string, std::string>, std::string> port_names_;
};

std::uint64_t Reader::number_of(const std::string& text, const Tag& tag) const {
  std::uint64_t value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    source_.fail(str(shown(text), " is no number"), tag.name.data());
  }
  return value;
}

void Reader::read_port(const Tag& tag) {
  ++layer_.ports;
  if (is_at({"net", "layers", "layer", "output", "port"})) {
    std::string name = first_of(tag.get("names"));
    port_names_[{layer_.id, tag.get("id")}] = name.empty() ? layer_.name : name;
  }
  if (layer_.ports > 1) return;
  layer_.tensor.dtype = dtype_of(tag.get("precision"));
  layer_.tensor.name = first_of(tag.get("names"));
}

/// Of a constant: where its weights lie. Of an input: its shape.
void Reader::read_data(const Tag& tag) {
  if (layer_.type == "Parameter") {
    layer_.tensor.has_rank = tag.get("shape").find("...") == std::string::npos;
  }
  if (layer_.type != "Const") return;
  const std::uint64_t offset = number_of(tag.get("offset"), tag);
  const std::uint64_t size = number_of(tag.get("size"), tag);
  if (offset > UINT64_MAX - size) {
    source_.fail("a constant lies beyond any file", tag.name.data());
  }
  weights_end_ = std::max(weights_end_, offset + size);
}

/// Of a file that names no outputs: by what they are made of.
void Reader::read_edge(const Tag& tag) {
  const auto output = unnamed_.find(tag.get("to-layer"));
  if (output == unnamed_.end()) return;
  const auto name =
      port_names_.find({tag.get("from-layer"), tag.get("from-port")});
  if (name != port_names_.end()) {
    head_.outputs[output->second].name = name->second;
  }
}

void Reader::read_info(const Tag& tag) {
  const std::string name = tag.get("name");  // of an <info>
  const std::string value = tag.get("value");
  if (path_.size() == 3 && name == "OpenVINO Runtime") {
    head_.made_by = "openvino " + value.substr(0, value.find('-'));
  }
  const bool is_metadata = path_.size() == 4 && (path_[2] == "framework" ||
                                                 path_[2] == "model_info");
  if (!is_metadata) return;
  head_.metadata.emplace_back(name.empty() ? std::string(tag.name) : name,
                              value);
}

void Reader::read_dim(const Tag& tag) {
  const std::string dim(tag.text);
  layer_.tensor.dims.push_back(fixed_dim(dim) ? dim : "");
}

void Reader::read_in_layer(const Tag& tag) {
  if (path_.size() == 3) {
    layer_ = {.id = tag.get("id"),
              .name = tag.get("name"),
              .type = tag.get("type"),
              .output_names = tag.get("output_names"),
              .tensor = {}};
    head_.operators.emplace(layer_.type, layer_.name);
  } else if (path_.size() == 4 && tag.name == "data") {
    read_data(tag);
  } else if (path_.size() == 5 && tag.name == "port" &&
             (path_[3] == "input" || path_[3] == "output")) {
    read_port(tag);
  } else if (path_.size() == 6 && tag.name == "dim" && layer_.ports == 1) {
    read_dim(tag);
  }
}

void Reader::open(const Tag& tag) {
  if (path_.size() >= kDeepest) {
    source_.fail("tags are nested too deep", tag.name.data());
  }
  path_.push_back(tag.name);
  const bool is_net = path_.front() == "net";
  if (is_net && path_.size() == 1) {
    has_net_ = true;
    head_.version = "IR " + tag.get("version");
    if (head_.version != "IR 10" && head_.version != "IR 11") {
      throw Error(Code::kData, str(source_.name, ": it is ", head_.version,
                                   "; OpenVINO reads IR 10 and 11: convert "
                                   "the model anew"));
    }
  } else if (is_net && path_.size() >= 3 && path_[1] == "layers" &&
             path_[2] == "layer") {
    read_in_layer(tag);
  } else if (is_net && path_.size() >= 3 && path_[1] == "rt_info") {
    read_info(tag);
  } else if (is_at({"net", "edges", "edge"})) {
    read_edge(tag);
  }
  if (tag.is_empty) close();
}

void Reader::finish_layer() {
  if (layer_.type == "Parameter") {
    if (layer_.tensor.name.empty()) layer_.tensor.name = layer_.name;
    head_.inputs.push_back(layer_.tensor);
  }
  if (layer_.type == "Result") {
    layer_.tensor.name = first_of(layer_.output_names);
    if (layer_.tensor.name.empty()) {
      unnamed_.emplace(layer_.id, head_.outputs.size());
    }
    head_.outputs.push_back(layer_.tensor);
  }
}

void Reader::close() {
  if (is_at({"net", "layers", "layer"})) finish_layer();
  path_.pop_back();
}

void Reader::check_weights() {
  if (weights_end_ == 0) return;
  const auto file = head_.path.filename().replace_extension(".bin");
  add_weight_file(head_, file.string(), weights_end_);
}

void Reader::read() {
  XmlReader xml(source_);
  for (Tag tag; xml.next(tag);) {
    if (!tag.is_closing) {
      open(tag);
    } else if (!path_.empty() && path_.back() == tag.name) {
      close();
    } else {
      source_.fail(str("</", std::string(tag.name), "> closes nothing"),
                   tag.name.data());
    }
  }
  if (!has_net_) {
    throw Error(Code::kData, str(source_.name,
                                 ": it is no model of OpenVINO: it has no "
                                 "<net>"));
  }
  if (!path_.empty()) {
    source_.fail(str("<", std::string(path_.back()), "> is not closed"),
                 source_.bytes.data() + source_.bytes.size());
  }
  check_weights();
}

}  // namespace

void read_openvino(const Source& source, ModelHead& head) {
  Reader(source, head).read();
}

}  // namespace penstock::heads
