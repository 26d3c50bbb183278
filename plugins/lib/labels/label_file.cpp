#include "lib/labels/label_file.h"

#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "penstock/error.h"
#include "penstock/model_head.h"

namespace penstock::labels {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostBytes = 16U << 20U;
constexpr std::size_t kMostClasses = 1U << 20U;

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::error_code error;
  if (!file || !std::filesystem::is_regular_file(path, error)) {
    throw Error(Code::kNotFound,
                str("the labels '", path.string(), "' cannot be opened"));
  }
  std::string text(kMostBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMostBytes) {
    throw Error(Code::kData,
                str("the labels '", path.string(), "' are over 16 MiB"));
  }
  return text;
}

void put(std::vector<std::string>& names, const std::string& key,
         const std::string& name) {
  std::size_t number = 0;
  const char* end = key.data() + key.size();
  const auto [stop, error] = std::from_chars(key.data(), end, number);
  if (error != std::errc() || stop != end || number >= kMostClasses) {
    throw Error(Code::kData, str("'", key, "' is no class number"));
  }
  if (number >= names.size()) names.resize(number + 1);
  names[number] = name;
}

std::vector<std::string> from_json(const std::string& text) {
  const Json json = Json::parse(text);
  std::vector<std::string> names;
  if (json.is_array()) return json.get<std::vector<std::string>>();
  for (const auto& [key, name] : json.items()) {
    put(names, key, name.get<std::string>());
  }
  return names;
}

std::vector<std::string> from_lines(const std::string& text) {
  std::vector<std::string> names;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    names.push_back(line);
  }
  return names;
}

}  // namespace

std::vector<std::string> read_labels(const std::filesystem::path& path) {
  const std::string text = read(path);
  try {
    return path.extension() == ".json" ? from_json(text) : from_lines(text);
  } catch (const std::exception& error) {
    throw Error(Code::kData,
                str("the labels '", path.string(),
                    "' are not a JSON list of names or an object of numbers "
                    "and names: ",
                    error.what()));
  }
}

namespace {

/// Those that the model file itself says.
std::vector<std::string> labels_in(const std::string& model) {
  const ModelHead head = read_model_head(model);
  std::vector<std::string> names = labels_of(head);
  if (!names.empty()) return names;
  std::string keys;
  for (const auto& [key, value] : head.metadata) {
    keys += (keys.empty() ? "" : ", ") + key;
  }
  throw Error(Code::kData,
              str("labels: model: '", model,
                  "' says no names of classes under character, labels or names "
                  "(it has: ",
                  keys.empty() ? "no metadata" : keys, "); name a file"));
}

}  // namespace

std::vector<std::string> labels_named(const std::string& said,
                                      const std::string& model) {
  if (said.empty()) return {};
  if (said == "model") return labels_in(model);
  const std::filesystem::path path = said;
  std::error_code error;
  const bool is_there = std::filesystem::exists(path, error);
  return read_labels(
      is_there ? path : std::filesystem::path(model).parent_path() / path);
}

ClassNames::ClassNames(const std::string& said, const std::string& model)
    : are_none_(said == "none") {
  if (!are_none_) names_ = labels_named(said, model);
}

std::string ClassNames::of(std::int64_t id) const {
  if (are_none_) return "";
  const auto at = static_cast<std::size_t>(id);
  return at < names_.size() ? names_[at] : str("class ", id);
}

}  // namespace penstock::labels
