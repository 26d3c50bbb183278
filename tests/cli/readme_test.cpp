// The README's commands print what it says they print.
#include <gtest/gtest.h>

#include <fstream>
#include <iostream>

#include "tests/cli/support.h"

namespace penstock::cli {
namespace {

struct Example {
  std::string command, wanted;
};

/// Blocks of ```console: a line `$ command`, then its output.
std::vector<Example> examples() {
  std::ifstream in(PENSTOCK_SOURCE_DIR "/README.md");
  std::vector<Example> all;
  bool is_inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("```", 0) == 0) {
      is_inside = line == "```console";
    } else if (is_inside && line.rfind("$ ", 0) == 0) {
      all.push_back({line.substr(2), ""});
    } else if (is_inside) {
      all.back().wanted += line + "\n";
    }
  }
  return all;
}

/// `...` at the end of what is wanted stands for any rest.
bool matches(const std::string& got, const std::string& wanted) {
  const auto dots = wanted.find("...\n");
  return dots == std::string::npos ? got == wanted
                                   : got.rfind(wanted.substr(0, dots), 0) == 0;
}

TEST(Readme, ShowsWhatItsCommandsPrint) {
  int ran = 0;
  for (const Example& example : examples()) {
    if (example.command.rfind("build/release/bin/", 0) != 0) continue;
    const std::string command =
        PENSTOCK_BIN +
        example.command.substr(std::string("build/release/bin").size());
    const Ran result = shell(command);
    EXPECT_TRUE(matches(result.out + result.err, example.wanted))
        << example.command << "\n"
        << result.out << result.err;
    ++ran;
  }
  EXPECT_GE(ran, 4);
}

}  // namespace
}  // namespace penstock::cli
