// Models that lie in several files: which files those are, before any of them
// is read.

#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace penstock::weights {

/// "model-00002-of-00003.gguf" is part 2 of 3 of "model".
struct PartName {
  std::string stem, extension;
  std::uint64_t number = 0, count = 0;

  [[nodiscard]] std::string of(std::uint64_t part) const;
};
[[nodiscard]] std::optional<PartName> part_name(const std::string& file);

/// The safetensors files of a folder, and where its index says that each
/// tensor lies. Without an index: one file, and nothing said.
struct Shards {
  std::vector<std::string> files;
  std::map<std::string, std::string> file_of;  ///< by tensor
};

/// Reads `model.safetensors.index.json`. Names of files in it are plain names:
/// none leads out of the folder. Throws Error(kData or kNotFound).
[[nodiscard]] Shards read_index(const std::filesystem::path& index);

/// The one thing in `folder` to read weights from: an index, a safetensors
/// file or a GGUF file, in this order. Throws Error(kNotFound) that says what
/// a model folder holds.
[[nodiscard]] std::filesystem::path find_weights(
    const std::filesystem::path& folder);

}  // namespace penstock::weights
