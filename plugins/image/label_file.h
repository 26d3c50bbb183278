// The names of a classifier's classes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace penstock::image {

/// Reads a file of class names: JSON, as a list or an object of numbers such
/// as {"0": "tench"}, or text, one name a line. Throws Error with what was
/// expected.
[[nodiscard]] std::vector<std::string> read_labels(
    const std::filesystem::path& path);

}  // namespace penstock::image
