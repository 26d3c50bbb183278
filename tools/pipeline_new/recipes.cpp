#include "pipeline_new/recipes.h"

#include <algorithm>

#include "penstock/error.h"

namespace penstock::fresh {
namespace {

using Dims = std::vector<std::string>;

/// An input or output: its names in the file and for the pipeline, and its dims
/// without the batch's.
struct Tensor {
  std::string file;
  std::string name;
  std::string dtype;
  Dims dims;
  bool is_bytes = false;  ///< in the file
};

/// Of a ModelInput or a ModelOutput.
template <class InputOrOutput>
Tensor tensor_of(const InputOrOutput& model) {
  const auto dims = own_dims(model.port);
  return {model.file.name, model.port.name, model.port.dtype,
          Dims(dims.begin(), dims.end()), model.file.dtype == "u8"};
}

/// Of the inputs that the pipeline has to make.
std::vector<Tensor> inputs_of(const ModelPorts& model) {
  std::vector<Tensor> inputs;
  for (const ModelInput& input : model.inputs) {
    if (input.from == ModelInput::From::kItem) {
      inputs.push_back(tensor_of(input));
    }
  }
  return inputs;
}

std::vector<Tensor> outputs_of(const ModelPorts& model) {
  std::vector<Tensor> outputs;
  for (const ModelOutput& output : model.outputs) {
    if (output.is_given) outputs.push_back(tensor_of(output));
  }
  return outputs;
}

/// As the param `names` has it; nothing where both are the same.
std::vector<std::string> renamed(const Tensor& tensor, const std::string& to) {
  return tensor.name == to ? std::vector<std::string>{}
                           : std::vector<std::string>{tensor.file + "=" + to};
}

bool mentions(const std::string& name,
              std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return name.find(word) != std::string::npos;
  });
}

bool is_channels(const std::string& dim) { return dim == "1" || dim == "3"; }

constexpr const char* kNormalize =
    "  # As it was trained; else its answers are worse, without a word:\n"
    "  # mean: [0.485, 0.456, 0.406]\n"
    "  # std: [0.229, 0.224, 0.225]\n";

/// How a picture becomes what the model takes: [height, width].
struct PictureSize {
  std::string what, yaml;
  bool is_padded = false;
};

PictureSize picture_size(const std::string& height, const std::string& width) {
  if (fixed_dim(height) && !fixed_dim(width)) {
    return {.what = str("pictures, made ", height, " high"),
            .yaml = str("  fit: height\n  size: ", height, "\n"),
            .is_padded = true};
  }
  const bool is_fixed = fixed_dim(height) && fixed_dim(width);
  const std::string h = is_fixed ? height : "224";
  const std::string w = is_fixed ? width : "224";
  return {.what = str("pictures", is_fixed ? "" : " of any size", ", made ", h,
                      " x ", w, " (height, width)"),
          .yaml = str("  fit: stretch             # or shortest with crop, or "
                      "letterbox\n  size: [",
                      h, ", ", w, "]\n")};
}

void picture(const std::vector<Tensor>& inputs, std::vector<Recipe>& out) {
  const Tensor& x = inputs.front();
  if (inputs.size() != 1 || x.dtype != "f32" || x.dims.size() != 3) return;
  const std::string& channels = x.dims[0];
  if (!is_channels(channels)) return;
  const PictureSize size = picture_size(x.dims[1], x.dims[2]);
  out.push_back(
      {.what = size.what,
       .names = renamed(x, "pixels"),
       .yaml =
           str("preprocess:\n  use: image.load\n", size.yaml,
               channels == "1" ? "  channels: grey\n" : "",
               x.is_bytes ? "  scale: 1                 # bytes as they are\n"
                          : kNormalize),
       .request = "{image: FILE}",
       .is_padded = size.is_padded});
}

void token_ids(const std::vector<Tensor>& inputs, std::vector<Recipe>& out) {
  Recipe way{.what = "texts, as WordPiece tokens",
             .names = {},
             .yaml =
                 "# Reads tokenizer.json or vocab.txt beside the model. "
                 "Lengths in steps of 32: a\n# new shape costs tens of "
                 "milliseconds once.\npreprocess: {use: text.wordpiece, "
                 "max_tokens: 256, multiple: 32}\n",
             .request = "{text: \"Hello\"}",
             .is_padded = true};
  bool has_ids = false;
  for (const Tensor& each : inputs) {
    if (each.dtype != "i64" || each.dims.size() != 1) return;
    std::string port = "input_ids";
    if (mentions(each.name, {"mask"})) port = "attention_mask";
    if (mentions(each.name, {"type", "segment"})) port = "token_type_ids";
    if (port == "input_ids") {
      if (has_ids) return;
      has_ids = mentions(each.name, {"id", "token", "input"});
    }
    for (auto& name : renamed(each, port)) way.names.push_back(name);
  }
  if (has_ids) out.push_back(std::move(way));
}

void sound(const std::vector<Tensor>& inputs, std::vector<Recipe>& out) {
  const Tensor& x = inputs.front();
  if (inputs.size() != 1 || x.dtype != "f32") return;
  const std::string waveform =
      "preprocess:\n  # The rate that it was trained for.\n"
      "  - {use: audio.waveform, sample_rate: 16000}\n";
  if (x.dims.size() == 1 &&
      mentions(x.name, {"audio", "wave", "speech", "sound", "signal", "pcm",
                        "input_values", "samples"})) {
    out.push_back({.what = "sound, at 16 kHz",
                   .names = renamed(x, "waveform"),
                   .yaml = waveform,
                   .request = "{audio: FILE}"});
  }
  if (x.dims.size() == 2 && mentions(x.name, {"feature", "mel", "spec"})) {
    const std::string mels = fixed_dim(x.dims[0]) ? x.dims[0] : "80";
    out.push_back({.what = "sound, as log-mel spectrogram",
                   .names = renamed(x, "features"),
                   .yaml = waveform + "  - {use: audio.log_mel, mels: " + mels +
                           "}   # see pipeline-inspect audio.log_mel\n",
                   .request = "{audio: FILE}"});
  }
}

void bytes(const std::vector<Tensor>& inputs, std::vector<Recipe>& out) {
  const Tensor& x = inputs.front();
  if (inputs.size() != 1 || x.dtype != "i32" || x.dims.size() != 1) return;
  if (!mentions(x.name, {"byte"}) || !fixed_dim(x.dims[0])) return;
  const int half = std::stoi(x.dims[0].substr(0, 8)) / 2;
  out.push_back({.what = "files, by how they begin and end",
                 .names = renamed(x, "bytes"),
                 .yaml = str("preprocess: {use: text.bytes, begin: ", half,
                             ", end: ", half, "}\n"),
                 .request = "{file: FILE}"});
}

/// "[[0, 0], [0, 0]]"; a few dots where it is long or of any length.
std::string zeros(const Dims& dims) {
  constexpr std::int64_t kMost = 24;
  std::string text = "0";
  std::int64_t values = 1;
  // NOLINTNEXTLINE(modernize-loop-convert): clang 14 has no views::reverse
  for (auto dim = dims.rbegin(); dim != dims.rend(); ++dim) {
    if (!fixed_dim(*dim) || dim->size() > 2) return "...";
    const std::int64_t size = std::stoll(*dim);
    values *= size;
    if (values > kMost) return "...";
    std::string list;
    for (std::int64_t i = 0; i < size; ++i) {
      list += (i == 0 ? "" : ", ") + text;
    }
    text = "[" + list + "]";
  }
  return text;
}

/// Whatever it takes, as numbers.
Recipe numbers(const std::vector<Tensor>& inputs) {
  std::string ports;
  std::string request;
  for (const Tensor& each : inputs) {
    std::string dims;
    for (const std::string& dim : each.dims) {
      dims += (dims.empty() ? "" : ",") + dim;
    }
    ports += str(ports.empty() ? "" : ", ", "\"", each.name, ": ", each.dtype,
                 "[", dims, "]\"");
    request += str(request.empty() ? "" : ", ", each.name, ": \"",
                   zeros(each.dims), "\"");
  }
  return {.what = "its tensors, as lists of numbers",
          .names = {},
          .yaml = "preprocess: {use: core.inputs, tensors: [" + ports + "]}\n",
          .request = "{" + request + "}"};
}

Recipe way_out(const std::string& what, const Tensor& tensor,
               const std::string& port, const std::string& yaml) {
  return {.what = what,
          .names = renamed(tensor, port),
          .yaml = yaml,
          .request = {}};
}

/// Of a detector: one tensor of boxes, one with their scores.
void boxes(const std::vector<Tensor>& outputs, std::vector<Recipe>& out) {
  const auto is_boxes = [](const Tensor& t) {
    return t.dtype == "f32" && t.dims.size() == 2 && t.dims[1] == "4";
  };
  const auto at = std::find_if(outputs.begin(), outputs.end(), is_boxes);
  if (at == outputs.end()) return;
  const auto scores =
      std::find_if(outputs.begin(), outputs.end(), [&](const Tensor& t) {
        return &t != &*at && t.dtype == "f32" && t.dims.size() == 2;
      });
  if (scores == outputs.end()) return;
  out.push_back(
      {.what = "boxes",
       .names = {},
       .yaml = str("decode:\n  use: core.boxes\n  boxes: [", at->name,
                   "]\n  scores: [", scores->name,
                   "]\n  form: xyxy               # what its four numbers "
                   "are: pipeline-inspect core.boxes\n"
                   "postprocess: {use: image.draw_boxes}\n"),
       .request = {}});
}

/// One tensor of numbers, by its rank.
void scores(const Tensor& each, std::size_t labels, const Recipe& in,
            std::vector<Recipe>& out) {
  const bool is_text = in.request.starts_with("{text");
  const bool is_file = in.request.find("FILE") != std::string::npos;
  const std::string named = labels > 0 ? ", labels: model" : "";
  const std::size_t rank = each.dims.size();
  if (rank == 1 && (is_file || labels > 0)) {
    out.push_back(
        way_out("classes", each, "logits",
                str("decode: {use: core.top}     # or core.sigmoid_labels\n"
                    "postprocess: {use: image.labels",
                    named, "}\n")));
  }
  if (rank == 2 && labels > 0) {
    // One class is the blank; one more than that is the space.
    const bool has_space = each.dims[1] == std::to_string(labels + 2);
    out.push_back(way_out("text, by CTC", each, "logits",
                          str("decode: {use: core.ctc, labels: model",
                              has_space ? ", space: true" : "",
                              "}\npostprocess: {use: core.text}\n")));
  }
  if (rank == 2 && is_text) {
    out.push_back(way_out("vectors", each, "hidden",
                          "decode: {use: core.vector, pool: mean}   # or "
                          "cls, as it was trained\n"
                          "postprocess: {use: core.embedding}\n"));
  }
  if (rank == 3 && in.request.starts_with("{image")) {
    out.push_back(way_out("a mask", each, "logits",
                          str("decode: {use: core.mask}\n"
                              "postprocess: {use: image.draw_mask",
                              named, "}\n")));
  }
}

}  // namespace

std::vector<std::string> channels_last(const ModelPorts& model) {
  std::vector<std::string> names;
  for (const ModelInput& input : model.inputs) {
    const Dims dims = tensor_of(input).dims;
    const bool is_picture =
        dims.size() == 3 && is_channels(dims[2]) && !is_channels(dims[0]) &&
        (input.file.dtype == "f32" || input.file.dtype == "u8");
    if (is_picture) names.push_back(input.file.name);
  }
  return names;
}

std::vector<Recipe> ways_in(const ModelPorts& model) {
  std::vector<Recipe> out;
  const std::vector<Tensor> inputs = inputs_of(model);
  if (inputs.empty()) return out;
  picture(inputs, out);
  token_ids(inputs, out);
  sound(inputs, out);
  bytes(inputs, out);
  out.push_back(numbers(inputs));
  return out;
}

std::vector<Recipe> ways_out(const ModelPorts& model, std::size_t labels,
                             const Recipe& in) {
  std::vector<Recipe> out;
  const std::vector<Tensor> outputs = outputs_of(model);
  if (in.request.starts_with("{image")) boxes(outputs, out);
  for (const Tensor& each : outputs) {
    if (each.dtype == "f32") scores(each, labels, in, out);
  }
  out.push_back({.what = "the tensors as they are",
                 .names = {},
                 .yaml = "decode: {use: core.outputs}\n"
                         "postprocess: {use: core.tensor}\n",
                 .request = {}});
  return out;
}

}  // namespace penstock::fresh
