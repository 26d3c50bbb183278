// The lines of a file or of bytes, one after another in constant memory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "penstock/value.h"

namespace penstock::text {

/// Lines end with \n or \r\n; a byte order mark is no part of the first.
class LineSource {
 public:
  /// Throws Error of media_path(). A line longer than `max_bytes` is an error.
  LineSource(Media media, std::int64_t max_bytes);
  ~LineSource();
  LineSource(const LineSource&) = delete;
  LineSource& operator=(const LineSource&) = delete;

  /// The next line without its end; nothing: there is none. Throws Error(kData)
  /// naming file and line.
  [[nodiscard]] std::optional<std::string> next();
  /// Number of the line that next() gave, from 1.
  [[nodiscard]] std::int64_t line() const { return line_; }
  /// "FILE:LINE: problem", thrown as Error(kData).
  [[noreturn]] void fail(std::int64_t line, const std::string& problem) const;

 private:
  struct Bytes;
  bool fill();

  Media media_;
  std::int64_t max_bytes_;
  std::unique_ptr<Bytes> bytes_;
  std::string held_;      ///< read, not given out
  std::size_t at_ = 0;    ///< in held_
  bool is_over_ = false;  ///< nothing more to read
  std::int64_t line_ = 0;
};

}  // namespace penstock::text
