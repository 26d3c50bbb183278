// The names of a model's classes or characters.
#pragma once

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

}  // namespace penstock::labels
