// core.map: what each step makes of a text, and what it says where it cannot.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "penstock/keys.h"
#include "penstock/testing/stage_faults.h"

namespace penstock::core {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Texts = std::vector<std::string>;

Texts texts_of(const std::string& yaml, const std::string& text,
               const std::string& title = "T") {
  const auto made =
      testing::run_stage(yaml, {.inputs = {{"text", text}, {"title", title}}});
  Texts out;
  for (const auto& item : made.items) out.push_back(get(item.notes, kText));
  return out;
}

std::string error_of(const std::string& yaml, const std::string& text) {
  try {
    (void)texts_of(yaml, text);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

struct MapCase {
  std::string name;
  std::string yaml;
  std::string text;
  Texts wanted;
};
void PrintTo(const MapCase& c, std::ostream* out) { *out << c.name; }
class MapSteps : public ::testing::TestWithParam<MapCase> {};

TEST_P(MapSteps, Make) {
  const MapCase& c = GetParam();
  EXPECT_EQ(texts_of("{use: core.map, " + c.yaml + "}", c.text), c.wanted);
}
INSTANTIATE_TEST_SUITE_P(
    Table, MapSteps,
    ::testing::ValuesIn<MapCase>({
        {"Template",
         R"(by: "Q: {text}\n{{A}}: {title}")",
         "Why?",
         {"Q: Why?\n{A}: T"}},
        {"TemplateOfMembers",
         "by: '{a.0} {b} {title}'",
         R"({"a": ["x", 2], "b": {"c": 1.5}})",
         {R"(x {"c":1.5} T)"}},
        {"TemplateOfNoJson", "by: '{text}!'", "{not json", {"{not json!"}},
        {"Split", "step: split, by: ', '", "a, b, , c, ", {"a", "b", "c"}},
        {"SplitOfNothing", "step: split, by: ','", "", {}},
        {"Filter", "step: filter, by: '^#'", "# yes", {"# yes"}},
        {"FilterLeavesOut", "step: filter, by: '^#'", "no", {}},
        {"Drop", "step: drop, by: '^#'", "# no", {}},
        {"Replace",
         R"(step: replace, by: '(\w+)@(\w+)', with: '\2 of \1')",
         "a@b c@d",
         {"b of a d of c"}},
        {"ReplaceLetters",
         "step: replace, by: 'ü.', with: '_'",
         "süßer",
         {"s_er"}},
        {"Each",
         "step: each, by: docs",
         R"({"docs": ["a", {"b": null}, 3]})",
         {"a", R"({"b":null})", "3"}},
        {"EachOfTheWhole", "step: each, by: ''", "[true, []]", {"true", "[]"}},
        {"Join", "step: join, by: ' | '", R"(["a", 1, "c"])", {"a | 1 | c"}},
        {"JoinOfNothing", "step: join, by: x", "[]", {""}},
        {"Member",
         "step: get, by: a.1.b",
         R"({"a": [0, {"b": "ok"}]})",
         {"ok"}},
    }),
    [](const auto& test) { return test.param.name; });

struct FaultCase {
  std::string name;
  std::string yaml;
  std::string text;
  std::string said;
};
void PrintTo(const FaultCase& c, std::ostream* out) { *out << c.name; }
class MapFaults : public ::testing::TestWithParam<FaultCase> {};

TEST_P(MapFaults, AreTold) {
  const FaultCase& c = GetParam();
  EXPECT_THAT(error_of("{use: core.map, " + c.yaml + "}", c.text),
              HasSubstr(c.said));
}
INSTANTIATE_TEST_SUITE_P(
    Table, MapFaults,
    ::testing::ValuesIn<FaultCase>({
        {"OpenBrace", "by: 'a {text'", "x", "'{' at character 3"},
        {"ClosedBrace", "by: 'a} b'", "x", "'}' at character 2"},
        {"NoName", "by: '{}'", "x", "'{' at character 1"},
        {"UnknownName", "by: '{nobody}'", "x", "nor an input of the request"},
        {"UnknownMember", "by: '{c}'", R"({"a": 1, "b": 2})",
         "(it is an object of a, b)"},
        {"NoSuchMember", "step: get, by: a.b.c", R"({"a": {"x": 1}})",
         "the JSON has no 'a.b.c': 'a' is an object of x"},
        {"BeyondTheList", "step: get, by: a.3", R"({"a": [1]})",
         "'a' is a list of 1"},
        {"NoJson", "step: get, by: a", "plain", "the text"},
        {"NoList", "step: each, by: a", R"({"a": 1})", "expected a list"},
        {"TooMany", "step: each, by: '', max_items: 2", "[1,2,3]",
         "at most 2 are taken"},
        {"TooManyPieces", "step: split, by: ',', max_items: 2", "a,b,c",
         "more than 2 pieces"},
        {"NothingBetween", "step: split, by: ''", "a", "split needs `by`"},
        {"NoRegex", "step: filter, by: '(a'", "a", "missing )"},
        {"NoGroup", R"(step: replace, by: 'a', with: '\1')", "a", "`with` is"},
        {"WithOfAnother", "step: filter, by: 'a', with: 'b'", "a",
         "`with` is for step: replace"},
        {"TooLong", "by: '{text}{text}', max_bytes: 5", "abc",
         "more than 5 bytes"},
        {"GivenTooLong", "by: '{text}', max_bytes: 2", "abc",
         "more than 2 bytes"},
        {"TooDeep", "step: get, by: a", std::string(1000, '['), "the text"},
    }),
    [](const auto& test) { return test.param.name; });

TEST(Map, StepsOfAListGoOnFromEachOther) {
  const auto made = testing::run_stage(
      "[{use: core.map, step: split, by: \"\\n\"},"
      " {use: core.map, step: filter, by: '^-'},"
      " {use: core.map, step: replace, by: '^- *', with: ''}]",
      {.inputs = {{"text", "- a\nb\n-c"}}});
  ASSERT_EQ(made.items.size(), 2U);
  EXPECT_EQ(get(made.items[0].notes, kText), "a");
  EXPECT_EQ(get(made.items[1].notes, kText), "c");
}

TEST(Map, DoesWhatEveryPreprocessMust) {
  EXPECT_EQ(testing::stage_faults("{use: core.map, step: split, by: ' '}",
                                  {.inputs = {{"text", "a b c"}}}),
            "");
}

// A pattern that makes backtracking take for ever.
TEST(Map, LongTextsTakeLinearTime) {
  const std::string text(200'000, 'a');
  EXPECT_THAT(texts_of("{use: core.map, step: filter, by: '(a*)*b'}", text),
              IsEmpty());
}

}  // namespace
}  // namespace penstock::core
