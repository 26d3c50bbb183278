// Rows of a table as text: RFC 4180, with any separator.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "text/line_source.h"

namespace penstock::text {

struct CsvLimits {
  std::int64_t row_bytes = 1 << 20;
  std::size_t columns = 4096;
};

class CsvReader {
 public:
  CsvReader(const Media& media, char separator, const CsvLimits& limits)
      : lines_(media, limits.row_bytes),
        separator_(separator),
        limits_(limits) {}

  /// The next row that is not empty; nothing: the end. A quoted cell may go
  /// over several lines. Throws Error(kData) naming file and line.
  [[nodiscard]] std::optional<std::vector<std::string>> next();
  /// Line on which that row began, from 1.
  [[nodiscard]] std::int64_t line() const { return begin_; }
  [[noreturn]] void fail(const std::string& problem) const {
    lines_.fail(begin_, problem);
  }

 private:
  void read_quoted(std::string& line, std::size_t& at, std::string& cell);

  LineSource lines_;
  char separator_;
  CsvLimits limits_;
  std::int64_t begin_ = 0;
  std::int64_t bytes_ = 0;  ///< of the row
};

}  // namespace penstock::text
