#include "penstock/model_head.h"

#include <algorithm>
#include <array>

#include "base/quote.h"
#include "heads/formats.h"
#include "penstock/error.h"
#include "penstock/mapped_file.h"

namespace penstock {
namespace heads {

std::int64_t elements_of(const std::vector<std::int64_t>& dims) {
  std::int64_t count = 1;
  for (const std::int64_t dim : dims) {
    if (dim == 0) return 0;
    if (dim < 0 || dim > kMostElements / count) return -1;
    count *= dim;
  }
  return count;
}

void add_weight_file(ModelHead& head, const std::string& location,
                     std::uint64_t end) {
  namespace fs = std::filesystem;
  const fs::path written(location);
  const bool leaves =
      location.empty() || location.find('\0') != location.npos ||
      written.is_absolute() ||
      std::find(written.begin(), written.end(), "..") != written.end();
  if (leaves) {
    throw Error(
        Code::kData,
        str(head.path.string(), ": it wants weights from ", shown(location),
            ", which is not in its own folder; a model may only read "
            "files beside it"));
  }
  const fs::path path = head.path.parent_path() / written;
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) {
    throw Error(Code::kData, str(head.path.string(), ": its weights are in ",
                                 shown(location),
                                 ", which is not beside it; copy both files"));
  }
  if (end > size) {
    throw Error(Code::kData,
                str(path.string(), " is cut off: ", head.path.string(),
                    " wants its bytes up to ", end, ", it has ", size));
  }
  auto& files = head.weight_files;
  if (std::find(files.begin(), files.end(), path) != files.end()) return;
  files.push_back(path);
  head.bytes += static_cast<std::int64_t>(size);
}

namespace {

struct Foreign {
  std::string_view magic, what;
};
/// What people name by mistake.
constexpr std::array<Foreign, 4> kForeign{{
    {"GGUF", "a GGUF file, which is for a stage such as gemma.forward"},
    {"\x89HDF", "a Keras file; convert it to ONNX with tf2onnx"},
    {"version https://git-lfs",
     "a placeholder of Git LFS and not the model; run: git lfs pull"},
    {"\x80\x02",
     "a pickle of an old PyTorch, which holds weights but no program; load "
     "the model in Python and export it with torch.export.save"},
}};

using Read = void (*)(const Source&, ModelHead&);

bool is_torch_name(const std::filesystem::path& path) {
  const auto extension = path.extension();
  return extension == ".pt2" || extension == ".pt" || extension == ".pth";
}

/// Throws where it is none of them.
std::pair<const char*, Read> format_of(const Source& source) {
  const std::string_view bytes = source.bytes;
  for (const auto& [magic, what] : kForeign) {
    if (bytes.starts_with(magic)) {
      throw Error(Code::kData, str(source.name, ": it is ", what));
    }
  }
  if (bytes.starts_with("PK\x03\x04")) return {"", read_torch};
  if (is_torch_name(source.name)) {
    throw Error(Code::kData,
                str(source.name,
                    ": it is no file of PyTorch, which are zip archives; is it "
                    "whole? torch.export.save(program, FILE) makes one"));
  }
  if (bytes.size() > 8 && bytes.substr(4, 4) == "TFL3") {
    return {"tflite", read_tflite};
  }
  const auto first = bytes.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  if (first != bytes.npos && bytes[first] == '<') {
    return {"openvino", read_openvino};
  }
  return {"onnx", read_onnx};
}

}  // namespace
}  // namespace heads

bool has_model_head(const std::filesystem::path& path) {
  const auto extension = path.extension();
  return extension == ".onnx" || extension == ".xml" ||
         extension == ".tflite" || heads::is_torch_name(path);
}

ModelHead read_model_head(const std::filesystem::path& path) {
  const MappedFile file(path);
  const auto bytes = file.bytes();
  const heads::Source source{
      .name = path.string(),
      .bytes = {reinterpret_cast<const char*>(bytes.data()), bytes.size()}};
  ModelHead head;
  head.path = path;
  head.bytes = static_cast<std::int64_t>(bytes.size());
  if (bytes.empty()) {
    throw Error(Code::kData, str(source.name, ": the file is empty"));
  }
  const auto [format, read] = heads::format_of(source);
  head.format = format;
  read(source, head);
  return head;
}

std::string to_string(const ModelTensor& tensor) {
  std::string dims = tensor.has_rank ? "" : "...";
  for (const std::string& dim : tensor.dims) {
    dims += (dims.empty() ? "" : ",") + (dim.empty() ? "?" : dim);
  }
  return str(tensor.name, " ", tensor.dtype, "[", dims, "]");
}

}  // namespace penstock
