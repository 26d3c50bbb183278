// What of a schema xgrammar would do otherwise, in fewer keywords.
#include "grammar/schema_lower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "grammar/canonical_json.h"
#include "grammar/other_names.h"
#include "grammar/pattern.h"
#include "grammar/schema_check.h"
#include "tests/plugins/grammar/support.h"

namespace penstock::grammar {
namespace {

using ::testing::HasSubstr;

LoweredSchema lowered(const std::string& text) {
  const JsonValue parsed = parse_schema(text);
  const JsonView root(parsed, "json_schema");
  check_schema(root);
  return lower_schema(root, text);
}

TEST(Lowering, LeavesNotesAndReferencesBehind) {
  EXPECT_EQ(lowered(R"({"title": "t", "type": "boolean", "x-a": 1})").text,
            R"({"type":"boolean"})");
  EXPECT_EQ(lowered(R"({"$ref": "#/$defs/a~1b",
                        "$defs": {"a/b": {"const": null}}})")
                .text,
            R"({"$ref":"#/$defs/r0","$defs":{"r0":{"const":null}}})");
  EXPECT_EQ(lowered(R"({"type": ["integer", "null"], "minimum": 2.0})").text,
            R"({"anyOf":[{"type":"integer","minimum":2},{"type":"null"}]})");
}

TEST(Lowering, SaysWhatMayBeAnything) {
  EXPECT_EQ(lowered(R"({"type": "array"})").text,
            R"({"type":"array","items":{}})");
  EXPECT_EQ(lowered(R"({"type": "object"})").text,
            R"({"type":"object","additionalProperties":true})");
}

TEST(Lowering, MarksLengthsAndOtherNames) {
  const auto schema = lowered(
      R"({"properties": {"a": {"type": "string", "maxLength": 3},
                         "b": {"type": "string", "maxLength": 3},
                         "~length~": {"type": "string", "minLength": 1}},
          "additionalProperties": {"type": "null"}})");
  EXPECT_EQ(schema.marker, "~length~~");
  EXPECT_EQ(schema.lengths,
            (std::vector<TextLength>{{0, 3}, {.least = 1, .most = -1}}));
  ASSERT_EQ(schema.names.size(), 1);
  EXPECT_EQ(schema.names[0], (std::vector<std::string>{"a", "b", "~length~"}));
  EXPECT_THAT(schema.text, HasSubstr(R"("propertyNames":{"const":)"));
}

TEST(CanonicalJson, IsTheSameForEqualValues) {
  EXPECT_EQ(canonical_json(parse_json(R"([{"b": 1.0, "a": 2}])", "t")),
            R"([{"a":2,"b":1}])");
}

TEST(Patterns, AreWrittenInAscii) {
  EXPECT_EQ(plain_pattern("^ä[€-\U0001F600]\\.$"),
            "^\\u{e4}[\\u{20ac}-\\u{1f600}]\\.$");
  EXPECT_THAT(plain_pattern("\\S"), HasSubstr("u3000"));
  EXPECT_EQ(plain_pattern("[\\s\\S]"), "[\\s\\S]");
}

/// Walks at random: none of the names comes, and others do.
TEST(OtherNames, AreNoneOfThoseListed) {
  const Fixture fixture;
  const std::vector<std::string> listed{"na", "name", "e", "\"x", "a\xC3\xA4"};
  int short_ones = 0;
  for (unsigned seed = 0; seed < 400; ++seed) {
    Answer answer = fixture.answer(
        Kind::kGrammar, "root ::= name\n" + other_name_rules("name", listed));
    const auto text = fixture.walk(answer, seed, 200);
    if (!text) continue;
    ASSERT_TRUE(text->starts_with('"') && text->ends_with('"')) << *text;
    const std::string name = text->substr(1, text->size() - 2);
    EXPECT_EQ(std::count(listed.begin(), listed.end(), name), 0) << name;
    EXPECT_EQ(name.find_first_of("\"\\"), name.npos) << name;
    short_ones += static_cast<int>(name.size() < 4);
  }
  EXPECT_GT(short_ones, 0);
}

}  // namespace
}  // namespace penstock::grammar
