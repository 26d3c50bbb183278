// Collects what is wrong with a file, so that all of it is reported at once.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/yaml_node.h"
#include "penstock/error.h"

namespace penstock::config {

class Problems {
 public:
  explicit Problems(const std::filesystem::path& path) : path_(path.string()) {}

  /// A fault at a place in the file.
  void add(Mark at, std::string text, Code code = Code::kData);
  /// A fault of the file as a whole.
  void add_whole(std::string text);
  /// A fault of an override: `who` is its source and key.
  void add_override(const std::string& who, const std::string& text);

  /// One of another file, whole, with its place.
  void add_elsewhere(std::string line);

  [[nodiscard]] std::size_t count() const { return found_.size(); }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// "file:line:column"
  [[nodiscard]] std::string place(Mark at) const;
  /// Throws ConfigError when there is any: those of the file by position,
  /// then those of overrides.
  void throw_if_any() const;

 private:
  struct Problem {
    std::optional<Mark> at;  ///< nothing: of an override
    std::string text;
    Code code;
  };

  std::string path_;
  std::vector<Problem> found_;
};

}  // namespace penstock::config
