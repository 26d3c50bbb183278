// Lines of a file or of stdin; a stop ends the wait for the next one.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "pipeline_run/input/stop.h"

namespace penstock::run {

class LineReader {
 public:
  /// `path`: "-" is stdin. Throws Error(kNotFound).
  LineReader(const std::string& path, const Stop& stop);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  /// The next line without its newline; nothing: the end, or a stop. Throws
  /// Error(kData) for one longer than `kMostBytes`, after skipping it, and
  /// once, as the last line, Error(kRetry) when reading fails.
  [[nodiscard]] std::optional<std::string> next();
  /// "stdin, line 3": the one next() gave last.
  [[nodiscard]] std::string place() const;
  /// How many lines next() has given.
  [[nodiscard]] std::size_t number() const { return number_; }

  static constexpr std::size_t kMostBytes = std::size_t{16} << 20U;

 private:
  bool fill();

  std::string name_;
  const Stop& stop_;
  int descriptor_;
  bool is_over_ = false;
  std::size_t number_ = 0;
  std::string buffer_;
  std::size_t used_ = 0;  ///< bytes of buffer_ already given
};

}  // namespace penstock::run
