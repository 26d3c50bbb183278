// Each row of trouble.txt is a test: its exit code and its words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "tests/cli/support.h"

namespace penstock::cli {
namespace {

struct Row {
  std::string name;
  int code = 0;
  std::string words, command;
};
void PrintTo(const Row& row, std::ostream* os) { *os << row.name; }

std::string next_column(std::string& line) {
  const auto at = line.find(" | ");
  std::string column = line.substr(0, at);
  line.erase(0, at == std::string::npos ? line.size() : at + 3);
  return column;
}

std::vector<Row> rows() {
  std::ifstream in(PENSTOCK_SOURCE_DIR "/tests/cli/trouble.txt");
  std::vector<Row> all;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    Row row;
    row.name = next_column(line);
    row.code = std::stoi(next_column(line));
    row.words = next_column(line);
    row.command = line;
    all.push_back(row);
  }
  return all;
}

class Trouble : public ::testing::TestWithParam<Row> {};

TEST_P(Trouble, IsExplained) {
  const Row& row = GetParam();
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  if (row.code > 133) GTEST_SKIP() << "the sanitizer takes the signal";
#endif
  const Ran ran = shell(row.command);
  EXPECT_EQ(ran.code, row.code) << ran.err;
  if (row.words == "-") {
    EXPECT_EQ(ran.err, "");
  } else {
    EXPECT_THAT(ran.err, ::testing::HasSubstr(row.words));
  }
  EXPECT_THAT(ran.err, ::testing::Not(::testing::HasSubstr("terminate")));
}

INSTANTIATE_TEST_SUITE_P(Table, Trouble, ::testing::ValuesIn(rows()),
                         [](const auto& test) { return test.param.name; });

TEST(TroubleTable, HasNoTwoRowsWithTheSameWords) {
  std::set<std::string> seen;
  for (const Row& row : rows()) {
    EXPECT_TRUE(row.words == "-" || seen.insert(row.words).second) << row.words;
  }
  EXPECT_GE(rows().size(), 110);
}

}  // namespace
}  // namespace penstock::cli
