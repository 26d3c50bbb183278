// A file that was not there before: written piece by piece, and whoever's files
// lie in its place stay as they are.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace penstock::run {

class NewFile {
 public:
  /// Throws Error(kRetry) where there is one already or it cannot be made.
  explicit NewFile(std::filesystem::path path);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  /// Throws Error(kRetry): the disk is full.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  /// Some disks say only now that they are full. Throws as write().
  void close();

 private:
  [[noreturn]] void fail(int number) const;

  std::filesystem::path path_;
  int descriptor_;
};

}  // namespace penstock::run
