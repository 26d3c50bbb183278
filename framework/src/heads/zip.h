// The members of a zip archive, as PyTorch writes them. Only the directory is
// read; every place and length in it is compared with the file before it is
// used, and names that lead out of the archive's folder are refused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "heads/wire.h"

namespace penstock::heads {

struct ZipMember {
  std::string name;  ///< without the archive's own folder
  std::string_view bytes;
  bool is_packed = false;  ///< `bytes` are compressed
};

class Zip {
 public:
  /// Throws Error(kData) where the archive is damaged, its members lie in
  /// several folders, or two have one name for a reader that ignores case.
  explicit Zip(const Source& source);

  [[nodiscard]] const std::vector<ZipMember>& members() const {
    return members_;
  }
  /// Null: there is none.
  [[nodiscard]] const ZipMember* find(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const {
    return find(name) != nullptr;
  }
  /// Whether a member lies in that folder, written with its "/".
  [[nodiscard]] bool has_folder(std::string_view folder) const;
  /// Throws Error(kData) where it is not there, or compressed.
  [[nodiscard]] std::string_view need(std::string_view name) const;

 private:
  struct Directory {
    std::uint64_t begin = 0, size = 0, count = 0;
  };
  [[nodiscard]] Directory directory() const;
  [[nodiscard]] std::string_view slice(std::uint64_t at, std::uint64_t size,
                                       const char* what) const;
  /// Takes one entry off the front of `rest`.
  void take(std::string_view& rest);
  void check_names();
  [[noreturn]] void fail(const std::string& problem) const;

  const Source& source_;
  std::vector<ZipMember> members_;
  std::uint64_t total_ = 0;
};

}  // namespace penstock::heads
