#include "weights/parts.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <string_view>

#include "penstock/error.h"
#include "penstock/json.h"
#include "weights/byte_reader.h"
#include "weights/gguf.h"

namespace penstock::weights {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kDigits = 5;
constexpr std::uint64_t kMaxShards = 1024;

std::string five_digits(std::uint64_t number) {
  const std::string text = std::to_string(number);
  return std::string(kDigits - std::min(kDigits, text.size()), '0') + text;
}

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

/// A name that can only mean a file beside the index.
void check_name(const JsonView& view) {
  const std::string& name = view.text();
  const bool is_plain = !name.empty() && name.size() <= 255 &&
                        name.find_first_of("/\\") == std::string::npos &&
                        name.find('\0') == std::string::npos &&
                        name.front() != '.';
  if (!is_plain || !name.ends_with(".safetensors")) {
    view.fail(str("is ", in_quotes(name),
                  ", expected the plain name of a .safetensors file"));
  }
}

std::vector<std::string> names_in(const fs::path& folder,
                                  std::string_view extension) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const fs::path& path = entry.path();
    if (path.extension() == extension) names.push_back(path.filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// Several GGUF files are one model when they are the parts of one.
std::optional<std::string> one_of(const std::vector<std::string>& names) {
  if (names.size() == 1) return names.front();
  if (names.empty()) return std::nullopt;
  const auto first = part_name(names.front());
  if (first && first->number == 1 && first->count == names.size()) {
    return names.front();
  }
  return std::nullopt;
}

}  // namespace

std::string PartName::of(std::uint64_t part) const {
  return stem + "-" + five_digits(part) + "-of-" + five_digits(count) +
         extension;
}

std::optional<PartName> part_name(const std::string& file) {
  constexpr std::string_view kOf = "-of-";
  constexpr std::size_t kTail = 1 + kDigits + kOf.size() + kDigits;
  const fs::path path(file);
  const std::string stem = path.stem().string();
  if (stem.size() <= kTail) return std::nullopt;
  const auto tail = std::string_view(stem).substr(stem.size() - kTail);
  const auto number = number_in(tail.substr(1, kDigits));
  const auto count = number_in(tail.substr(kTail - kDigits));
  if (tail[0] != '-' || tail.substr(1 + kDigits, kOf.size()) != kOf ||
      !number || !count || *number < 1 || *number > *count) {
    return std::nullopt;
  }
  return PartName{.stem = stem.substr(0, stem.size() - kTail),
                  .extension = path.extension().string(),
                  .number = *number,
                  .count = *count};
}

Shards read_index(const fs::path& index) {
  const JsonValue parsed =
      read_json(index, {.bytes = kMaxHeaderBytes, .depth = 4});
  const JsonView view(parsed, index.string());
  Shards shards;
  std::set<std::string> files;
  for (const auto& [tensor, file] : view.at("weight_map").members()) {
    check_name(file);
    if (files.insert(file.text()).second && files.size() > kMaxShards) {
      file.fail(str("is one of more than ", kMaxShards, " files"));
    }
    shards.file_of.emplace(tensor, file.text());
  }
  if (files.empty()) view.at("weight_map").fail("is empty");
  shards.files.assign(files.begin(), files.end());
  return shards;
}

fs::path find_weights(const fs::path& folder) {
  for (const char* name :
       {"model.safetensors.index.json", "model.safetensors"}) {
    if (fs::exists(folder / name)) return folder / name;
  }
  const auto safetensors = names_in(folder, ".safetensors");
  if (safetensors.size() == 1) return folder / safetensors.front();
  const auto gguf = names_in(folder, ".gguf");
  if (const auto name = one_of(gguf); name && safetensors.empty()) {
    return folder / *name;
  }
  std::string found;
  if (!safetensors.empty()) {
    found = str("; it has ", safetensors.size(),
                " .safetensors files, but no model.safetensors.index.json");
  } else if (!gguf.empty()) {
    found = str("; it has ", gguf.size(), " .gguf files: name one of them");
  } else if (!names_in(folder, ".bin").empty()) {
    found =
        "; .bin checkpoints are programs (pickles) and are not read: "
        "convert them to safetensors";
  }
  throw Error(Code::kNotFound,
              str(folder.string(),
                  ": no model in this folder: "
                  "expected config.json with model.safetensors or "
                  "model.safetensors.index.json, or one .gguf file",
                  found));
}

}  // namespace penstock::weights
