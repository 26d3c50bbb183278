// The names of a model's classes or characters.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace penstock::labels {

/// Reads a file of class names: JSON, as a list or an object of numbers such
/// as {"0": "tench"}, or text, one name a line. Throws Error with what was
/// expected.
[[nodiscard]] std::vector<std::string> read_labels(
    const std::filesystem::path& path);

/// What a stage's param `labels` means: a file, by path or beside the model;
/// "model": those that the model file says in its metadata; "": none.
[[nodiscard]] std::vector<std::string> labels_named(const std::string& said,
                                                    const std::string& model);

/// The names of classes, as a stage's param `labels` says: as labels_named(),
/// or "none": no class has one.
class ClassNames {
 public:
  ClassNames() = default;
  ClassNames(const std::string& said, const std::string& model);

  /// "class 7" where no file names it; "" where none has a name.
  [[nodiscard]] std::string of(std::int64_t id) const;

 private:
  bool are_none_ = false;
  std::vector<std::string> names_;
};

}  // namespace penstock::labels
