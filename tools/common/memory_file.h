// What a child process leaves behind, without a pipe that somebody must read.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>

#include "penstock/error.h"

namespace penstock {

/// A file in memory: the child can fill it without anybody reading.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(memfd_create("penstock", MFD_CLOEXEC)) {
    if (descriptor_ < 0) {
      throw Error(Code::kRetry, str("cannot make a file in memory: ",
                                    std::generic_category().message(errno)));
    }
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { close(descriptor_); }

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] std::string text() const {
    std::string text;
    std::array<char, 4096> piece{};
    for (;;) {
      const ssize_t got = pread(descriptor_, piece.data(), piece.size(),
                                static_cast<off_t>(text.size()));
      if (got <= 0) return text;
      text.append(piece.data(), static_cast<std::size_t>(got));
    }
  }

 private:
  int descriptor_;
};

}  // namespace penstock
