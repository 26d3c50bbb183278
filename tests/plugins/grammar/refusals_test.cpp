// What cannot be held is refused by name and place; nothing takes long.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "penstock/error.h"
#include "tests/plugins/grammar/support.h"

namespace penstock::grammar {
namespace {

using ::testing::HasSubstr;

const Compiler& compiler() {
  static const Fixture fixture;
  return fixture.compiler;
}

std::string refusal(Kind kind, const std::string& text) {
  try {
    (void)compiler().compile({kind, text, false});
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData) << error.what();
    return error.text();
  }
  return "none";
}

struct Case {
  std::string schema, wanted;
};
void PrintTo(const Case& c, std::ostream* os) { *os << c.schema; }

class Schemas : public ::testing::TestWithParam<Case> {};

TEST_P(Schemas, AreRefusedWithThePlace) {
  EXPECT_THAT(refusal(Kind::kSchema, GetParam().schema),
              HasSubstr(GetParam().wanted));
}

std::string nested(int depth) {
  std::string out;
  for (int i = 0; i < depth; ++i) out += R"({"items":)";
  return out + "{}" + std::string(static_cast<std::size_t>(depth), '}');
}

std::string long_enum(int count) {
  std::string out = R"({"enum": [0)";
  for (int i = 1; i < count; ++i) out += "," + std::to_string(i);
  return out + "]}";
}

INSTANTIATE_TEST_SUITE_P(
    Table, Schemas,
    ::testing::ValuesIn<Case>({
        {"{", "json_schema: "},
        {"[]", "json_schema: "},
        {"true", "write {} for any JSON"},
        {R"({"properties": {"a": {"type": "strnig"}}})",
         "'properties'.'a'.type is the unknown type 'strnig'"},
        {R"({"properties": {"a": {"not": {}}}})",
         "json_schema: 'properties'.'a' has 'not', which is not supported"},
        {R"({"type": "array", "uniqueItems": true})",
         "has 'uniqueItems', which is not supported"},
        {R"({"type": "object", "requird": []})", "has 'requird'"},
        {R"({"if": {}, "then": {}})", "has 'if'"},
        {R"({"anyOf": [{"type": "null"}], "properties": {}})",
         "has 'properties' beside 'anyOf'"},
        {R"({"minLength": 3})",
         "has 'minLength', but its `type` is none that this is about"},
        {R"({"type": "integer", "pattern": "a"})", "has 'pattern', but"},
        {R"({"type": "string", "minLength": 1000000000})", "minLength"},
        {R"({"type": "array", "minItems": 1000000})", "minItems"},
        {R"({"prefixItems": [{"type": "string", "maxLength": 200},
                             {"type": "string", "minLength": 100}]})",
         "has strings whose lengths come to 300; the most is 256"},
        {R"({"type": "string", "format": "phone"})",
         "'format' is the format 'phone', which is not supported"},
        {R"({"type": "string", "pattern": "((a{100}){100}){100}"})",
         "written out, are more than 1000 parts"},
        {R"({"type": "string", "enum": ["a", 1]})",
         "enum[1] is of the type integer, which `type` excludes"},
        {R"({"properties": {"a": {}}, "required": ["b"]})",
         "required[0] names 'b', which `properties` has not"},
        {R"({"$ref": "http://example.com/a"})",
         "only places of the same schema"},
        {R"({"properties": {"a": {"$ref": "#/$defs/b"}}})",
         "refers to '#/$defs/b', which is not there"},
        {R"({"$ref": "#"})", "refers to itself"},
        {R"({"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]},
             "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"})",
         "refers to itself"},
        {nested(100), "json_schema: "},
        {long_enum(5000), "has an enum of 5000 values"},
        {R"({"title": ")" + std::string(70'000, 'a') + R"("})",
         "bytes are too many"},
    }));

TEST(Refusals, NameTheParam) {
  EXPECT_THAT(refusal(Kind::kRegex, "(a"), HasSubstr("regex: "));
  EXPECT_THAT(refusal(Kind::kRegex, "((a{200}){200}){200}"),
              HasSubstr("written out"));
  EXPECT_THAT(refusal(Kind::kRegex, std::string(5000, 'a')),
              HasSubstr("5000 bytes"));
  EXPECT_THAT(refusal(Kind::kGrammar, "root ::= missing"),
              HasSubstr("grammar: "));
  EXPECT_THAT(refusal(Kind::kGrammar, "other ::= \"a\""),
              HasSubstr("grammar: "));
  EXPECT_THAT(refusal(Kind::kLark, "start: ("), HasSubstr("lark: "));
}

TEST(Accepted, NothingThatMayBeAskedTakesLong) {
  const std::vector<std::pair<Kind, std::string>> largest{
      {Kind::kSchema, R"({"type": "string", "maxLength": 256})"},
      {Kind::kSchema, R"({"type": "string", "minLength": 256})"},
      {Kind::kSchema, R"({"type": "array", "minItems": 1000,
                          "items": {"type": "string", "maxLength": 50}})"},
      {Kind::kSchema, long_enum(2000)},
      {Kind::kRegex, "(a{10}b){50}"},
      {Kind::kRegex, "([a-z]{1,20} ){1,40}"}};
  for (const auto& [kind, text] : largest) {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(refusal(kind, text), "none") << text.substr(0, 60);
    const std::chrono::duration<double> took =
        std::chrono::steady_clock::now() - begin;
    std::cout << text.substr(0, 60) << ": " << took.count() << " s\n";
    EXPECT_LT(took.count(), 5) << text.substr(0, 60);
  }
}

TEST(Accepted, RecursionThatComesToAnEnd) {
  EXPECT_EQ(refusal(Kind::kSchema,
                    R"({"type": "object", "properties": {
                        "value": {"type": "integer"},
                        "next": {"anyOf": [{"$ref": "#"},
                                           {"type": "null"}]}},
                        "required": ["value", "next"]})"),
            "none");
}

}  // namespace
}  // namespace penstock::grammar
