// Model files for tests: those of tests/golden/make_models.py, and bytes.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "penstock/error.h"
#include "penstock/model_ports.h"

namespace penstock::testing {

inline std::filesystem::path fixture(const std::string& name) {
  return std::filesystem::path(PENSTOCK_FIXTURES) / "models" / name;
}

inline std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A file for the time of a test.
class ModelFile {
 public:
  ModelFile(const std::string& bytes, const std::string& name)
      : path_(std::filesystem::temp_directory_path() /
              str("penstock_", getpid(), "_", name)) {
    std::ofstream(path_, std::ios::binary) << bytes;
  }
  ModelFile(const ModelFile&) = delete;
  ModelFile& operator=(const ModelFile&) = delete;
  ModelFile(ModelFile&&) = delete;
  ModelFile& operator=(ModelFile&&) = delete;
  ~ModelFile() { std::filesystem::remove(path_); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// What the call throws, or "".
template <class Call>
std::string refusal(const Call& call) {
  try {
    (void)call();
  } catch (const Error& error) {
    return error.text();
  }
  return "";
}

}  // namespace penstock::testing
