#include "pipeline_run/inspect/dump_folder.h"

#include <cstdio>
#include <system_error>
#include <utility>

#include "pipeline_run/inspect/safetensors_file.h"
#include "pipeline_run/inspect/stage_json.h"

namespace penstock::run {
namespace {

namespace fs = std::filesystem;
using OrderedJson = nlohmann::ordered_json;

constexpr std::size_t kMostName = 100;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

const fs::path& made(const fs::path& path) {
  std::error_code error;
  if (!fs::create_directory(path, error)) {
    throw Error(Code::kRetry,
                str("cannot make the folder '", path.string(),
                    "': ", error ? error.message() : "there is one already"));
  }
  return path;
}

std::string file_name(StageKind stage, int number) {
  std::array<char, 16> text{};
  (void)std::snprintf(text.data(), text.size(), ".%04d", number);
  return to_string(stage) + text.data() + ".safetensors";
}

}  // namespace

std::string folder_name(const std::string& id) {
  std::string out = id.substr(0, kMostName);
  for (char& c : out) {
    if (!is_plain(c)) c = '_';
  }
  if (out.empty()) return "_";
  if (out[0] == '.') out[0] = '_';
  return out;
}

DumpFolder::DumpFolder(fs::path path, const OrderedJson& head)
    : path_(std::move(path)), json_(made(path_) / "dump.json") {
  std::string text = line_of(head);
  text.back() = ',';  // goes on
  json_.write(text + "\n\"made\": [");
}

void DumpFolder::add(StageKind stage, const OrderedJson& entry,
                     const Tensors& tensors) {
  OrderedJson line{{"stage", to_string(stage)}};
  line.update(entry);
  if (!tensors.empty()) {
    const std::string file =
        file_name(stage, files_.at(static_cast<std::size_t>(stage))++);
    write_safetensors(path_ / file, tensors);
    line["file"] = file;
    line["tensors"] = tensors_json(tensors, /*most_values=*/0);
  }
  json_.write((std::exchange(is_first_, false) ? "\n" : ",\n") + line_of(line));
}

void DumpFolder::close(const OrderedJson& report) {
  json_.write("\n],\n\"report\": " + line_of(report) + "}\n");
  json_.close();
}

}  // namespace penstock::run
