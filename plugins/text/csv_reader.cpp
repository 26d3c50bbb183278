#include "text/csv_reader.h"

#include <algorithm>

#include "penstock/error.h"

namespace penstock::text {

/// From behind the opening quote to behind the closing one, on this line or a
/// later one, which takes its place.
void CsvReader::read_quoted(std::string& line, std::size_t& at,
                            std::string& cell) {
  while (true) {
    const std::size_t quote = line.find('"', at);
    cell.append(line, at, quote == std::string::npos ? quote : quote - at);
    if (quote == std::string::npos) {
      auto more = lines_.next();
      if (!more) fail("a quote is opened in this row and never closed");
      bytes_ += static_cast<std::int64_t>(more->size());
      if (bytes_ > limits_.row_bytes) {
        fail(str("the row is longer than ", limits_.row_bytes,
                 " bytes (max_bytes); is a quote not closed?"));
      }
      cell += '\n';
      line = std::move(*more);
      at = 0;
    } else if (quote + 1 < line.size() && line[quote + 1] == '"') {
      cell += '"';
      at = quote + 2;
    } else {
      at = quote + 1;
      return;
    }
  }
}

std::optional<std::vector<std::string>> CsvReader::next() {
  auto line = lines_.next();
  while (line && line->empty()) line = lines_.next();
  if (!line) return std::nullopt;
  begin_ = lines_.line();
  bytes_ = static_cast<std::int64_t>(line->size());
  std::vector<std::string> row;
  for (std::size_t at = 0;; ++at) {
    if (row.size() == limits_.columns) {
      fail(str("the row has more than ", limits_.columns, " columns"));
    }
    std::string& cell = row.emplace_back();
    if (at < line->size() && (*line)[at] == '"') {
      read_quoted(*line, ++at, cell);
      if (at < line->size() && (*line)[at] != separator_) {
        fail(str("column ", row.size(),
                 " goes on behind its closing quote; a quote inside is written "
                 "twice"));
      }
    } else {
      const std::size_t end =
          std::min(line->find(separator_, at), line->size());
      cell = line->substr(at, end - at);
      at = end;
    }
    if (at >= line->size()) return row;
  }
}

}  // namespace penstock::text
