// The form that an answer is to have: what is asked for, and complaints.
#include "pipeline_serve/api/openai/form.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline_run/input/response_format.h"

namespace penstock::serve {
namespace {

using ::testing::HasSubstr;

std::string text_of(const Raw& raw) { return std::get<RawScalar>(raw).text; }

std::map<std::string, Raw> form_of(const std::string& format) {
  const Body body(R"({"response_format": )" + format + "}");
  return reading(
      [&] { return run::format_options(body.at("response_format")); });
}

TEST(ResponseFormat, IsAnOptionOfTheRule) {
  EXPECT_TRUE(form_of(R"({"type": "text"})").empty());
  EXPECT_EQ(text_of(form_of(R"({"type": "json_object"})").at("json")), "true");
  const auto schema = form_of(R"({"type": "json_schema", "json_schema": {
      "name": "x", "strict": true, "description": "d",
      "schema": {"type": "object", "properties": {"b": {}, "a": {}}}}})");
  EXPECT_EQ(text_of(schema.at("json")), "false");
  EXPECT_EQ(text_of(schema.at("json_schema")),
            R"({"type":"object","properties":{"b":{},"a":{}}})");
}

TEST(ResponseFormat, OfAResponseIsFlat) {
  const Body body(R"({"f": {"type": "json_schema", "name": "x",
                            "schema": {"type": "object"}}})");
  EXPECT_EQ(text_of(run::flat_format_options(body.at("f")).at("json_schema")),
            R"({"type":"object"})");
}

TEST(ResponseFormat, WithoutASchemaIsAnyObject) {
  EXPECT_EQ(text_of(form_of(R"({"type": "json_schema",
                                "json_schema": {"name": "x"}})")
                        .at("json")),
            "true");
}

struct WrongForm {
  const char* format;
  const char* param;
  const char* words;
};
void PrintTo(const WrongForm& c, std::ostream* os) { *os << c.format; }

class WrongForms : public ::testing::TestWithParam<WrongForm> {};

TEST_P(WrongForms, AreRefusedByName) {
  try {
    (void)form_of(GetParam().format);
    FAIL() << "was taken";
  } catch (const HttpError& error) {
    EXPECT_EQ(error.status, 400);
    EXPECT_EQ(error.param, std::string("response_format") + GetParam().param);
    EXPECT_THAT(error.message, HasSubstr(GetParam().words));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, WrongForms,
    ::testing::Values(
        WrongForm{"5", "", "expected an object"},
        WrongForm{"{}", "", "has no key 'type'"},
        WrongForm{R"({"type": "xml"})", ".type", "json_object, json_schema"},
        WrongForm{R"({"type": "text", "x": 1})", ".x", "is not known here"},
        WrongForm{R"({"type": "text", "json_schema": {}})", ".json_schema",
                  "beside the type text"},
        WrongForm{R"({"type": "json_schema"})", "", "'json_schema'"},
        WrongForm{R"({"type": "json_schema", "json_schema": {}})",
                  ".json_schema", "'name'"},
        WrongForm{R"({"type": "json_schema", "json_schema": {"name": "a b"}})",
                  ".json_schema.name", "letters, digits"},
        WrongForm{R"({"type": "json_schema", "json_schema":
                      {"name": "a", "schema": []}})",
                  ".json_schema.schema", "is no object"},
        WrongForm{R"({"type": "json_schema", "json_schema":
                      {"name": "a", "strict": 1}})",
                  ".json_schema.strict", "expected true or false"},
        WrongForm{R"({"type": "json_schema", "json_schema":
                      {"name": "a", "sheme": {}}})",
                  ".json_schema.sheme", "is not known here"}));

TEST(FormError, NamesThePlaceInTheSchema) {
  const auto of = [](const std::string& text) {
    return form_error(Error(Code::kData, text),
                      "response_format.json_schema.schema");
  };
  const auto inner =
      of("json_schema: 'properties'.'a b'.type is the unknown type");
  ASSERT_TRUE(inner);
  EXPECT_EQ(inner->param,
            "response_format.json_schema.schema.properties.a b.type");
  EXPECT_EQ(inner->message,
            "response_format.json_schema.schema.'properties'.'a b'.type is the "
            "unknown type");
  const auto whole = of("json_schema: has 'x', which is not supported");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->param, "response_format.json_schema.schema");
  EXPECT_EQ(whole->message,
            "response_format.json_schema.schema has 'x', which is not "
            "supported");
  for (const char* text :
       {"json_schema: would take too long to prepare, its rule 'a' above all",
        "json_schema: 70000 bytes are too many; the most is 65536",
        "json_schema: not supported: it"}) {
    const auto other = of(text);
    ASSERT_TRUE(other);
    EXPECT_EQ(other->param, "response_format.json_schema.schema") << text;
  }
  EXPECT_FALSE(of("logit_bias: id 9"));
  EXPECT_FALSE(form_error(Error(Code::kData, "json_schema: x"), ""));
}

}  // namespace
}  // namespace penstock::serve
