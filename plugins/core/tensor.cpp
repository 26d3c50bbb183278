#include "core/tensor.h"

#include <ATen/ops/isfinite.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/tensor_file.h"
#include "penstock/drawing.h"

namespace penstock::core {
namespace {

using Entry = nlohmann::ordered_json;

/// Numbers in their order; null for what JSON has no number for.
Entry values_of(const at::Tensor& tensor) {
  const bool is_real = tensor.is_floating_point();
  const auto flat =
      tensor.to(is_real ? at::kDouble : at::kLong).reshape({-1}).contiguous();
  Entry out = Entry::array();
  for (std::int64_t i = 0; i < flat.numel(); ++i) {
    if (is_real) {
      const double value = flat.const_data_ptr<double>()[i];
      out.push_back(std::isfinite(value) ? Entry(value) : Entry());
    } else {
      out.push_back(flat.const_data_ptr<std::int64_t>()[i]);
    }
  }
  return out;
}

/// logits f32[10], from -3.1 to 8.25
std::string line_about(const std::string& name, const at::Tensor& tensor) {
  std::string shape;
  for (const std::int64_t size : tensor.sizes()) {
    shape += (shape.empty() ? "" : ",") + std::to_string(size);
  }
  std::string out =
      str(name, " ", dtype_word(tensor.scalar_type()), "[", shape, "]");
  if (tensor.numel() == 0) return out;
  const auto numbers = tensor.to(at::kDouble);
  out += str(", from ", numbers.min().item<double>(), " to ",
             numbers.max().item<double>());
  return out;
}

/// A name as part of a file's.
std::string harmless(std::string name) {
  std::replace_if(
      name.begin(), name.end(),
      [](unsigned char c) { return c <= ' ' || c == '/' || c == 0x7F; }, '_');
  return name;
}

class TensorWriter final : public Writer {
 public:
  TensorWriter(const Tensor::Params& params, std::string id)
      : params_(params), id_(std::move(id)) {}

  bool write(const Decoded& decoded, OutputSink& out) override {
    const Tensors chosen = chosen_of(decoded);
    Entry list = Entry::array();
    std::string lines;
    for (const auto& [name, tensor] : chosen) {
      Entry& entry = list.emplace_back();
      entry = {{"name", name}};
      if (decoded.item->index > 0) entry["item"] = decoded.item->index;
      entry["dtype"] = dtype_word(tensor.scalar_type());
      entry["shape"] = tensor.sizes().vec();
      keep(decoded, name, tensor, entry);
      lines +=
          (lines.empty() && is_first_ ? "" : "\n") + line_about(name, tensor);
      if (entry.contains("file")) {
        lines += " in " + entry["file"].get<std::string>();
      }
    }
    if (params_.format == "next") {
      out.emit(chosen, decoded.branch, /*is_final=*/false);
    }
    if (params_.format == "safetensors") {
      write_safetensors(list.front()["file"].get<std::string>(), chosen);
    }
    is_first_ = false;
    out.emit(Json{Entry{{"tensors", std::move(list)}}.dump(
                 -1, ' ', false, Entry::error_handler_t::replace)},
             decoded.branch, /*is_final=*/false);
    out.emit(lines, decoded.branch, decoded.finish != Finish::kNo);
    return true;
  }
  void end(OutputSink& /*out*/) override {}

 private:
  [[nodiscard]] Tensors chosen_of(const Decoded& decoded) const {
    Tensors chosen;
    for (const std::string& name : params_.names) {
      chosen.emplace_back(name, get(decoded.tensors, name));
    }
    if (params_.names.empty()) chosen = decoded.tensors;
    if (chosen.empty()) {
      throw Error(
          Code::kData,
          "there is no tensor: neither preprocess nor the model made one that "
          "reached this stage. core.outputs as decode gives those of a model "
          "without a vocabulary; core.text writes texts");
    }
    for (auto& [name, tensor] : chosen) tensor = tensor.cpu().contiguous();
    return chosen;
  }

  /// Its numbers into the entry, or into a file that the entry names.
  void keep(const Decoded& decoded, const std::string& name,
            const at::Tensor& tensor, Entry& entry) {
    if (params_.format == "json") {
      if (tensor.numel() > params_.max_values) {
        throw Error(Code::kData, str("'", name, "' has ", tensor.numel(),
                                     " numbers; JSON "
                                     "takes ",
                                     params_.max_values,
                                     " (max_values), format: "
                                     "npy or safetensors any number"));
      }
      entry["values"] = values_of(tensor);
      return;
    }
    if (params_.format == "next") return;
    std::string ending;
    if (decoded.item->index > 0) ending += str(".", decoded.item->index);
    if (decoded.branch > 0) ending += str(".b", decoded.branch);
    if (params_.format == "npy") ending += "." + harmless(name);
    make_drawing_folder(params_.folder);
    const auto path =
        drawing_path(params_.folder, id_, ending + "." + params_.format);
    entry["file"] = path.string();
    if (params_.format == "npy") write_npy(path, tensor);
  }

  const Tensor::Params& params_;
  std::string id_;
  bool is_first_ = true;
};

}  // namespace

void Tensor::declare(Declaration<Tensor>& d) {
  d.doc(
       "Named tensors as JSON, as files for numpy and safetensors, or for the "
       "next step")
      .light();
  d.param("names", &Params::names, "the tensors to give; none: all there are");
  d.param("format", &Params::format,
          "json: the numbers in the result; npy: a file for each tensor; "
          "safetensors: one for each item; next: for the step of a composition "
          "that takes {each: THIS_STEP} by core.inputs")
      .choices({"json", "npy", "safetensors", "next"});
  d.param("folder", &Params::folder,
          "where files go, named after the request; made where it is not there")
      .draws();
  d.param("max_values", &Params::max_values,
          "most numbers of a tensor in JSON; more is an error")
      .range(1, 1e9);
}

std::unique_ptr<Writer> Tensor::begin(const Request& request) const {
  return std::make_unique<TensorWriter>(params_, request.id);
}

}  // namespace penstock::core
