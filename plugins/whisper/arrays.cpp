#include "whisper/arrays.h"

#include <algorithm>
#include <map>

#include "penstock/error.h"
#include "penstock/json.h"
#include "penstock/weights.h"
#include "whisper/ct2_file.h"

namespace penstock::whisper {
namespace {

namespace fs = std::filesystem;

using Shape = std::vector<std::int64_t>;

std::int64_t count(const Shape& shape) {
  std::int64_t out = 1;
  for (const std::int64_t dim : shape) out *= dim;
  return out;
}

class Ct2Arrays final : public Arrays {
 public:
  explicit Ct2Arrays(const fs::path& path) : file_(Ct2File::open(path)) {
    if (file_.spec() == "WhisperSpec") return;
    throw Error(Code::kData, str("'", file_.name(), "' holds a ", file_.spec(),
                                 ", not a Whisper model"));
  }
  [[nodiscard]] std::string name() const override { return file_.name(); }
  [[nodiscard]] bool has(const std::string& array) const override {
    return file_.tensors().contains(array);
  }
  [[nodiscard]] Shape shape(const std::string& array) const override {
    return file_.at(array).shape;
  }
  [[nodiscard]] std::vector<WeightTensor> parts(
      const std::string& array) const override {
    return {to_weights(array, file_.at(array))};
  }
  [[nodiscard]] std::int64_t heads(const std::string& side) const override {
    return file_.integer(side + "/num_heads");
  }
  [[nodiscard]] std::int64_t size() const override {
    std::int64_t out = 0;
    for (const auto& [array, tensor] : file_.tensors()) {
      out += count(tensor.shape);
    }
    return out;
  }

 private:
  Ct2File file_;
};

class HubArrays final : public Arrays {
 public:
  explicit HubArrays(const fs::path& folder)
      : file_(WeightFile::open(folder)), config_(folder / "config.json") {
    const JsonValue json = read_json(config_);
    const JsonView view(json, config_.string());
    for (const char* side : {"encoder", "decoder"}) {
      heads_[side] = view.at(str(side, "_attention_heads")).integer(1, 1024);
    }
    if (!file_.find("model.encoder.conv1.weight")) prefix_ = "";
  }
  [[nodiscard]] std::string name() const override {
    return file_.path().string();
  }
  [[nodiscard]] bool has(const std::string& array) const override {
    const auto names = names_in_transformers(array);
    return !names.empty() && file_.find(prefix_ + names.front());
  }
  [[nodiscard]] Shape shape(const std::string& array) const override {
    Shape out;
    for (const WeightTensor& part : parts(array)) {
      if (out.empty()) {
        out = part.shape;
      } else {
        out[0] += part.shape.at(0);
      }
    }
    return out;
  }
  [[nodiscard]] std::vector<WeightTensor> parts(
      const std::string& array) const override {
    std::vector<WeightTensor> out;
    for (const std::string& part : names_in_transformers(array)) {
      const auto found = file_.find(prefix_ + part);
      if (!found && part.ends_with("k_proj.bias")) {
        const Shape like = file_.at(prefix_ + sibling(part)).shape;
        out.push_back({.name = part,
                       .type = WeightType::kF32,
                       .shape = {like.at(0)},
                       .data = {}});
      } else {
        out.push_back(file_.at(prefix_ + part));
      }
    }
    if (!out.empty()) return out;
    throw Error(Code::kData, str("'", name(), "' has no array ", array));
  }
  [[nodiscard]] std::int64_t heads(const std::string& side) const override {
    return heads_.at(side);
  }
  [[nodiscard]] std::int64_t size() const override {
    std::int64_t out = 0;
    for (const WeightTensor& tensor : file_.tensors()) {
      out += count(tensor.shape);
    }
    return out;
  }

 private:
  /// Name of the weight that belongs to a bias.
  static std::string sibling(const std::string& bias) {
    return bias.substr(0, bias.size() - 4) + "weight";
  }

  WeightFile file_;
  fs::path config_;
  std::map<std::string, std::int64_t> heads_;
  std::string prefix_ = "model.";
};

/// CTranslate2's names within a layer, then within encoder or decoder.
const std::map<std::string, std::vector<std::string>>& modules() {
  static const std::map<std::string, std::vector<std::string>> table{
      {"self_attention/layer_norm", {"self_attn_layer_norm"}},
      {"self_attention/linear_0",
       {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"}},
      {"self_attention/linear_1", {"self_attn.out_proj"}},
      {"attention/layer_norm", {"encoder_attn_layer_norm"}},
      {"attention/linear_0", {"encoder_attn.q_proj"}},
      {"attention/linear_1", {"encoder_attn.k_proj", "encoder_attn.v_proj"}},
      {"attention/linear_2", {"encoder_attn.out_proj"}},
      {"ffn/layer_norm", {"final_layer_norm"}},
      {"ffn/linear_0", {"fc1"}},
      {"ffn/linear_1", {"fc2"}},
      {"conv1", {"conv1"}},
      {"conv2", {"conv2"}},
      {"layer_norm", {"layer_norm"}},
      {"position_encodings", {"embed_positions"}},
      {"embeddings", {"embed_tokens"}}};
  return table;
}

}  // namespace

Arrays::~Arrays() = default;

std::vector<float> Arrays::floats(const std::string& array) const {
  std::vector<float> out;
  for (const WeightTensor& part : parts(array)) {
    const std::size_t at = out.size();
    out.resize(at + static_cast<std::size_t>(count(part.shape)));
    if (part.data.empty()) continue;
    dequantize(part, 0, part.rows(), std::span(out).subspan(at));
  }
  return out;
}

void read_row(std::span<const WeightTensor> parts, std::int64_t row,
              std::span<float> to) {
  for (const WeightTensor& part : parts) {
    if (row >= part.rows()) {
      row -= part.rows();
    } else if (part.data.empty()) {
      return std::fill(to.begin(), to.end(), 0.0F);
    } else {
      return dequantize(part, row, row + 1, to);
    }
  }
  throw Error(Code::kInternal, "the array has not so many rows");
}

void check_shape(const Arrays& file, const std::string& array,
                 const std::vector<std::int64_t>& shape) {
  if (file.shape(array) == shape) return;
  throw Error(Code::kData, str("'", file.name(), "': ", array,
                               " has not the shape that follows from the "
                               "other arrays"));
}

std::unique_ptr<Arrays> Arrays::open(const fs::path& path) {
  const fs::path inside = path / "model.bin";
  if (!fs::is_directory(path)) return std::make_unique<Ct2Arrays>(path);
  if (fs::exists(inside)) return std::make_unique<Ct2Arrays>(inside);
  return std::make_unique<HubArrays>(path);
}

fs::path folder_of(const std::string& model) {
  return fs::is_directory(model) ? fs::path(model)
                                 : fs::path(model).parent_path();
}

std::vector<std::string> names_in_transformers(const std::string& array) {
  const auto first = array.find('/');
  const auto last = array.rfind('/');
  if (first == std::string::npos || first == last) return {};
  std::string where = array.substr(0, first) + ".";
  std::string module = array.substr(first + 1, last - first - 1);
  std::string leaf = array.substr(last + 1);
  if (module.starts_with("layer_") && !module.starts_with("layer_norm")) {
    const auto end = module.find('/');
    if (end == std::string::npos) return {};
    where += "layers." + module.substr(6, end - 6) + ".";
    module.erase(0, end + 1);
  }
  const auto found = modules().find(module);
  if (found == modules().end()) return {};
  if (leaf == "gamma" || leaf == "encodings") leaf = "weight";
  if (leaf == "beta") leaf = "bias";
  std::vector<std::string> out;
  for (const std::string& name : found->second) {
    out.push_back(str(where, name, ".", leaf));
  }
  return out;
}

}  // namespace penstock::whisper
