// What a model file says of itself: names, dtypes, dims and metadata of an
// ONNX, OpenVINO, TFLite or PyTorch file. Only the head is read, by a reader of
// our own and in milliseconds: no weight is touched and no library of the
// format's runs, so that a pipeline can be checked before anything is loaded.
//
// The file may come from anybody. Lengths are checked before they are used, and
// what would hurt a runtime later is refused here: weights outside of the
// model's folder, tensors that are larger than their data, shapes of terabytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "penstock/export.h"

namespace penstock {

/// An input or output as the file has it.
struct ModelTensor {
  std::string name;
  /// A dtype of port.h; else the format's own word, such as "string".
  std::string dtype;
  bool has_rank = true;  ///< false: nothing is known of its dims
  /// Each a number, the name of a dynamic dim, or "": dynamic without a name.
  std::vector<std::string> dims;
};

/// What a dynamic dim may be.
struct ModelRange {
  std::int64_t least = 0;
  std::optional<std::int64_t> most;
};

struct ModelHead {
  std::filesystem::path path;
  /// "onnx", "openvino", "tflite"; of PyTorch "torch.export", "aotinductor"
  /// (native code) or "torchscript".
  std::string format;
  std::string version;  ///< "opset 17", "IR 11", "schema 3"
  std::string made_by;  ///< "pytorch 2.11.0"; may be empty
  /// Without those that are weights.
  std::vector<ModelTensor> inputs, outputs;
  /// By the name of a dim, where the file says it.
  std::map<std::string, ModelRange> ranges;
  /// In the file's order.
  std::vector<std::pair<std::string, std::string>> metadata;
  /// Each operator, with its domain where it has one ("my.company.MyOp"), and
  /// the name of the first node of it.
  std::map<std::string, std::string> operators;
  /// Files beside it that hold its weights; all are there.
  std::vector<std::filesystem::path> weight_files;
  std::int64_t bytes = 0;  ///< of the file and those beside it
};

/// Whether the name of a file is one that read_model_head() is for: .onnx,
/// .xml, .tflite, .pt2, .pt or .pth.
[[nodiscard]] PENSTOCK_API bool has_model_head(
    const std::filesystem::path& path);

/// Throws Error(kNotFound) where there is no such file, kData where it is
/// damaged, of another format or not to be trusted; the text names the file.
[[nodiscard]] PENSTOCK_API ModelHead
read_model_head(const std::filesystem::path& path);

/// The names of the model's classes or characters, from its metadata
/// `character`, `labels` or `names`; empty where it has none.
[[nodiscard]] PENSTOCK_API std::vector<std::string> labels_of(
    const ModelHead& head);

/// "x f32[?,3,224,224]", for messages.
[[nodiscard]] PENSTOCK_API std::string to_string(const ModelTensor& tensor);

}  // namespace penstock
