// A shared library as a file: what it needs and gives. None of it runs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace penstock::check {

struct LibraryFile {
  std::vector<std::string> needed;    ///< names of libraries
  std::vector<std::string> run_path;  ///< entries of RUNPATH or RPATH
  /// Symbols that others can see; without weak ones, which come out of headers
  /// and are the same everywhere.
  std::vector<std::string> exported;
  std::vector<std::string> unique;  ///< those of which a process has one
};

/// Throws Error(kData) for what is no 64-bit little-endian shared library, or
/// is damaged: every offset is checked against the file before it is used.
[[nodiscard]] LibraryFile read_library(const std::filesystem::path& path);

}  // namespace penstock::check
