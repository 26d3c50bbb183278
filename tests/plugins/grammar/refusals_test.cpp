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
        {R"({"type": "string", "minLength": 5, "maxLength": 4})",
         "can have no value: 'minLength' is 5 and 'maxLength' is 4"},
        {R"({"type": "string", "maxLength": 4, "pattern": "a"})",
         "has 'maxLength' beside 'pattern'"},
        {R"({"type": "string", "format": "date", "pattern": "a"})",
         "has 'format' beside 'pattern'"},
        {R"({"properties": {"a": {"type": "string", "pattern": "a^b"}}})",
         "'a'.pattern has a '^' inside at position 1"},
        {R"({"type": "string", "pattern": "a\"b"})",
         "pattern needs a quote, backslash or control character"},
        {R"({"type": "string", "pattern": "a\\x5cb"})", "needs a quote"},
        {R"({"type": "string", "pattern": "(?=a)b"})",
         "a group of another kind"},
        {R"({"type": "integer", "minimum": 0.5})",
         "minimum is no whole number"},
        {R"({"type": "integer", "minimum": 3, "maximum": 2})",
         "can have no value"},
        {R"({"type": "number", "exclusiveMinimum": 3, "maximum": 3})",
         "can have no value"},
        {R"({"type": "integer", "minimum": 1, "multipleOf": 3})",
         "has 'multipleOf' and one bound"},
        {R"({"type": ["integer", "number"], "multipleOf": 3})",
         "supported of integers alone"},
        {R"({"type": "number", "maximum": "3"})", "maximum"},
        {R"({"prefixItems": [{}, {}], "maxItems": 1})",
         "maxItems is less than the 2 of 'prefixItems'"},
        {R"({"prefixItems": [{}], "minItems": 2})",
         "minItems is more than the 1 of 'prefixItems'"},
        {R"({"items": [{}]})", "items"},
        {R"({"patternProperties": {"a": {}, "b": {}}})", "several patterns"},
        {R"({"patternProperties": {"a": {}}, "properties": {"a": {}}})",
         "has 'patternProperties' beside 'properties'"},
        {R"({"patternProperties": {"a": {}}, "additionalProperties": {}})",
         "members of other names"},
        {R"({"propertyNames": {"maxLength": 3}, "properties": {"a": {}}})",
         "has 'propertyNames' beside 'properties'"},
        {R"({"propertyNames": {"type": "integer"}})",
         "propertyNames is no schema of texts"},
        {R"({"type": "object", "minProperties": 2})",
         "minProperties is more than 1 where members may have any name"},
        {R"({"allOf": [{}, {}]})", "allOf holds several schemas"},
        {R"({"anyOf": []})", "anyOf holds no schema"},
        {R"({"properties": {"a": false}})", "'a' is false: no value fits it"},
        {R"({"oneOf": [{"type": "integer"}, {"type": "number"}]})",
         "oneOf has schemas that a value may fit both, [0] and [1]"},
        {R"({"oneOf": [{"const": 1}, {"enum": ["a", 1.0]}]})",
         "a value may fit both"},
        {R"({"enum": []})", "has an enum without values"},
        {R"({"properties": {"a": {"$id": "b"}}})", "has '$id'"},
        {R"({"default": {"type": "null"}, "$ref": "#/default"})",
         "refers to '#/default', where no schema stands"},
        {R"({"type": "string", "format": "phone"})",
         "format is the format 'phone', which is not supported"},
        {R"({"type": "string", "pattern": "((a{100}){100}){100}"})",
         "written out, are more than 5000 parts"},
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

/// By what they cost with a large vocabulary, whatever this one is.
TEST(Refusals, NameWhatWouldTakeTooLong) {
  EXPECT_THAT(refusal(Kind::kRegex, ".{1,500}"),
              HasSubstr("regex: its repetitions would take too long"));
  EXPECT_THAT(refusal(Kind::kRegex, "(.*){30}"), HasSubstr("too long"));
  EXPECT_THAT(refusal(Kind::kRegex, "(\\w{1,50}\\s){1,50}"),
              HasSubstr("too long"));
  EXPECT_THAT(refusal(Kind::kSchema, R"({"properties": {"a": {
                  "type": "string", "pattern": "(x[^a]{20}){20}"}}})"),
              HasSubstr("'a'.pattern is no usable pattern: its repetitions"));
  EXPECT_THAT(refusal(Kind::kGrammar, "root ::= part{1000}\npart ::= [^a]\n"),
              HasSubstr("its rule 'root' above all"));
  EXPECT_THAT(refusal(Kind::kGrammar, "root ::= Regex(\".{900}\")"),
              HasSubstr("a regex in it"));
  EXPECT_THAT(refusal(Kind::kLark, "start: A~1..2000\nA: /[^b]/"),
              HasSubstr("lark: would take too long"));
  std::string lengths = R"({"properties": {)";
  for (int i = 0; i < 8; ++i) {
    lengths += str(i == 0 ? "" : ",", R"("p)", i,
                   R"(": {"type": "string", "maxLength": )", 50 + i, "}");
  }
  EXPECT_THAT(refusal(Kind::kSchema, lengths + "}}"),
              HasSubstr("shorter lengths"));
}

TEST(Accepted, FormatsAndUsualPatterns) {
  for (const char* format :
       {"date", "time", "date-time", "duration", "email", "hostname", "ipv4",
        "ipv6", "uuid", "uri", "uri-reference", "uri-template", "json-pointer",
        "relative-json-pointer"}) {
    EXPECT_EQ(refusal(Kind::kSchema,
                      str(R"({"type": "string", "format": ")", format, "\"}")),
              "none");
  }
  EXPECT_EQ(refusal(Kind::kRegex, "[A-Za-z0-9._%+-]{1,64}@[a-z0-9.-]{1,64}"),
            "none");
  EXPECT_EQ(refusal(Kind::kRegex, "(.*: .*\n){1,5}"), "none");
  EXPECT_EQ(refusal(Kind::kRegex, "\\w+( \\w+)*"), "none");
  EXPECT_EQ(refusal(Kind::kSchema, R"({"type": "array", "maxItems": 1000,
                "items": {"type": "string", "maxLength": 40}})"),
            "none");
}

TEST(Accepted, NothingThatMayBeAskedTakesLong) {
  const std::vector<std::pair<Kind, std::string>> largest{
      {Kind::kSchema, R"({"type": "string", "maxLength": 1000000})"},
      {Kind::kSchema, R"({"type": "string", "minLength": 100})"},
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

TEST(Accepted, OneOfWhoseSchemasPart) {
  for (const char* schema :
       {R"({"oneOf": [{"type": "integer"}, {"type": ["string", "null"]}]})",
        R"({"oneOf": [{"const": 1}, {"enum": ["a", 2.5]}, {"const": "1"}]})",
        R"({"oneOf": [{"$ref": "#/$defs/a"}, {"type": "array"}],
            "$defs": {"a": {"anyOf": [{"type": "null"},
                                      {"type": "boolean"}]}}})"}) {
    EXPECT_EQ(refusal(Kind::kSchema, schema), "none") << schema;
  }
  EXPECT_EQ(refusal(Kind::kSchema, R"({"oneOf": [
      {"type": "object", "required": ["k"], "properties": {"k": {"const": 1}}},
      {"type": "object", "required": ["k"],
       "properties": {"k": {"enum": [2, 3]}}}]})"),
            "none");
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
