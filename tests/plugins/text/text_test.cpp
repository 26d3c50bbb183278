// text.lines and text.csv: what becomes an item, and what is said of files that
// are not as they should be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "penstock/keys.h"
#include "penstock/testing/stage_faults.h"
#include "text/notes.h"

namespace penstock::text {
namespace {

using ::testing::HasSubstr;

using Texts = std::vector<std::string>;

Media media_of(const std::string& bytes) {
  Media media;
  media.name = "a.csv";
  media.bytes = std::make_shared<const std::string>(bytes);
  return media;
}

std::vector<testing::GivenItem> items_of(const std::string& yaml,
                                         const std::string& bytes) {
  return testing::run_stage(yaml, {.inputs = {{"file", media_of(bytes)}}})
      .items;
}

Texts texts_of(const std::string& yaml, const std::string& bytes) {
  Texts out;
  for (const auto& item : items_of(yaml, bytes)) {
    out.push_back(get(item.notes, kText));
  }
  return out;
}

std::string error_of(const std::string& yaml, const std::string& bytes) {
  try {
    (void)texts_of(yaml, bytes);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

struct ReadCase {
  std::string name;
  std::string yaml;
  std::string bytes;
  Texts wanted;
};
void PrintTo(const ReadCase& c, std::ostream* out) { *out << c.name; }
class Readers : public ::testing::TestWithParam<ReadCase> {};

TEST_P(Readers, Make) {
  const ReadCase& c = GetParam();
  EXPECT_EQ(texts_of("{use: text." + c.yaml + "}", c.bytes), c.wanted);
}
INSTANTIATE_TEST_SUITE_P(
    Table, Readers,
    ::testing::ValuesIn<ReadCase>({
        {"Lines", "lines", "a\nb b\n", {"a", "b b"}},
        {"LastLineWithoutEnd", "lines", "a\nb", {"a", "b"}},
        {"LinesOfWindows",
         "lines",
         "\xEF\xBB\xBF"
         "a\r\nb\r\n",
         {"a", "b"}},
        {"EmptyLinesAreLeftOut", "lines", "\n \na\n\n", {"a"}},
        {"EmptyLinesStay",
         "lines, skip_empty: false",
         "\na\n\n",
         {"", "a", ""}},
        {"Rows",
         "csv",
         "n,x\n1,a\n2,\n",
         {R"({"n":"1","x":"a"})", R"({"n":"2","x":""})"}},
        {"Column", "csv, column: x", "n,x\n1,a\n2,b", {"a", "b"}},
        {"Quoted",
         "csv, column: x",
         "x,y\n\"a, \"\"b\"\"\r\nc\",1\n",
         {"a, \"b\"\nc"}},
        {"QuotedAtTheEnd", "csv, column: y", "x,y\n1,\"\"\n2,\"z\"", {"", "z"}},
        {"NoHeader", "csv, header: false, column: '2'", "a,b\nc,d", {"b", "d"}},
        {"Tabs", "csv, separator: tab, column: y", "x\ty\na,b\tc\n", {"c"}},
        {"Semicolons", "csv, separator: ';', column: y", "x;y\n1;2", {"2"}},
        {"EmptyRowsAreLeftOut", "csv, column: x", "x\n\n1\n\n", {"1"}},
        {"OnlyAHeader", "csv", "a,b\n", {}},
        {"OneEmptyCell", "csv, column: y", "x,y\n,\n", {""}},
    }),
    [](const auto& test) { return test.param.name; });

struct WrongCase {
  std::string name;
  std::string yaml;
  std::string bytes;
  std::string said;
};
void PrintTo(const WrongCase& c, std::ostream* out) { *out << c.name; }
class WrongFiles : public ::testing::TestWithParam<WrongCase> {};

TEST_P(WrongFiles, AreToldWithTheirPlace) {
  const WrongCase& c = GetParam();
  EXPECT_THAT(error_of("{use: text." + c.yaml + "}", c.bytes),
              HasSubstr(c.said));
}
INSTANTIATE_TEST_SUITE_P(
    Table, WrongFiles,
    ::testing::ValuesIn<WrongCase>({
        {"NoUtf8", "lines", "a\nb\xFF\n",
         "a.csv:2: byte 2 of the line is no UTF-8"},
        {"LongLine", "lines, max_bytes: 3", "abc\nabcd\n",
         "a.csv:2: is longer than 3 bytes"},
        {"LongLineWithoutEnd", "lines, max_bytes: 3", std::string(200'000, 'x'),
         "a.csv:1: is longer than 3 bytes"},
        {"MoreCells", "csv", "a,b\n1,2\n1,2,3\n",
         "a.csv:3: the row has 3 cells, the first has 2"},
        {"OpenQuote", "csv", "a,b\n1,\"2\n3,4\n",
         "a.csv:2: a quote is opened in this row and never closed"},
        {"BehindAQuote", "csv", "a\n\"1\"2\n", "column 1 goes on behind"},
        {"LongRow", "csv, max_bytes: 8", "a\n\"123456\n123456\"\n",
         "a.csv:2: the row is longer than 8 bytes"},
        {"NoColumn", "csv, column: titel", "title,b\n1,2\n",
         "did you mean 'title'?"},
        {"SameNames", "csv", "a,a\n1,2\n", "two columns are named 'a'"},
        {"ManyColumns", "csv", std::string(5000, ','),
         "more than 4096 columns"},
        {"NoSeparator", "csv, separator: ab", "a", "expected one character"},
    }),
    [](const auto& test) { return test.param.name; });

TEST(Readers, NoteWhereAnItemIsFrom) {
  const auto items = items_of("{use: text.csv}", "x\n\"a\nb\"\nc\n");
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(get(items[0].notes, kLine), 2);
  EXPECT_EQ(get(items[1].notes, kLine), 4);
  EXPECT_EQ(get(items[1].notes, kPath), "a.csv");
}

TEST(Readers, ReadFilesLongerThanOnePiece) {
  const auto path = std::filesystem::path(::testing::TempDir()) / "long.txt";
  std::ofstream(path) << std::string(70'000, 'x') << "\n"
                      << std::string(70'000, 'y') << "\nz";
  const auto made = testing::run_stage("{use: text.lines}",
                                       {.inputs = {{"file", path.string()}}});
  std::filesystem::remove(path);
  ASSERT_EQ(made.items.size(), 3U);
  EXPECT_EQ(get(made.items[1].notes, kText), std::string(70'000, 'y'));
  EXPECT_EQ(get(made.items[2].notes, kText), "z");
}

TEST(Readers, DoWhatEveryPreprocessMust) {
  EXPECT_EQ(testing::stage_faults("{use: text.lines}",
                                  {.inputs = {{"file", media_of("a\nb")}}}),
            "");
  EXPECT_EQ(testing::stage_faults("{use: text.csv}",
                                  {.inputs = {{"file", media_of("a\nb")}}}),
            "");
}

}  // namespace
}  // namespace penstock::text
