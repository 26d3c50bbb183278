// Files that are refused: the tables of the readers' tests.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>

#include "penstock/error.h"

namespace penstock::media {

/// `run` reads a file and is refused with `code`; the error holds `text`.
struct Bad {
  std::string name;
  std::function<void()> run;
  Code code;
  std::string text;
};
void PrintTo(const Bad& bad, std::ostream* out);

/// As the table says, and in one line.
void expect_refused(const Bad& bad);

/// The path of a new file with these bytes.
[[nodiscard]] std::string file_with(const std::string& name,
                                    const std::string& bytes);

}  // namespace penstock::media
