// A file mapped into memory, read-only.

#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include "penstock/export.h"

namespace penstock {

/// Owns the mapping; unmapped when destroyed. An empty file maps to no bytes.
/// The file must not be shortened meanwhile: the system answers with SIGBUS.
class PENSTOCK_API MappedFile {
 public:
  /// Throws Error(kNotFound) when `path` cannot be opened for reading, kData
  /// when it is a directory or no regular file.
  explicit MappedFile(const std::filesystem::path& path);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  MappedFile(MappedFile&&) = delete;
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile();

  [[nodiscard]] std::span<const std::byte> bytes() const {
    return {static_cast<const std::byte*>(start_), size_};
  }

 private:
  void* start_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace penstock
