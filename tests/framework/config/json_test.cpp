// JSON within limits: what is read, what is refused, and where it says so.
#include "penstock/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "penstock/error.h"

namespace penstock {
namespace {

using ::testing::HasSubstr;

std::string times(const std::string& text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

TEST(Json, ReadsEveryKind) {
  const JsonValue value = parse_json(
      R"({"a": {"b": [1, -2.5, "x\n\u20ac", true, null]}, "c": 3})", "f");
  const JsonView view(value, "f");
  const auto items = view.at("a").at("b").items();
  ASSERT_EQ(items.size(), 5);
  EXPECT_EQ(items[0].integer(), 1);
  EXPECT_EQ(items[0].real(), 1);
  EXPECT_EQ(items[1].real(), -2.5);
  EXPECT_EQ(items[2].text(), "x\n\u20ac");
  EXPECT_TRUE(items[3].boolean());
  EXPECT_EQ(view.members().size(), 2);
  EXPECT_EQ(view.members()[1].second.integer(0, 3), 3);
  EXPECT_TRUE(view.at("a").is_object());
  EXPECT_FALSE(view.find("d"));
}

TEST(Json, NullIsAsIfAbsent) {
  const JsonValue value = parse_json(R"({"a": null})", "f");
  EXPECT_FALSE(JsonView(value, "f").find("a"));
}

struct Bad {
  std::string name, text, words;
};
void PrintTo(const Bad& c, std::ostream* os) { *os << c.name; }

class BadJson : public ::testing::TestWithParam<Bad> {};

TEST_P(BadJson, IsRefused) {
  try {
    (void)parse_json(GetParam().text, "f",
                     {.bytes = 100'000, .depth = 8, .values = 50});
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    EXPECT_THAT(error.what(), HasSubstr(GetParam().words));
    EXPECT_LT(std::string(error.what()).size(), 300);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadJson,
    ::testing::ValuesIn<Bad>({
        {"Empty", "", "is no JSON"},
        {"Cut", R"({"a": [1, 2)", "is no JSON"},
        {"Behind", "{} {}", "expected end of input"},
        {"KeyTwice", R"({"a": 1, "b": 2, "a": 3})", "'a' stands there twice"},
        {"Deep", times("[", 9), "nested deeper than 8"},
        {"VeryDeep", times("{\"a\":", 10'000), "nested deeper than 8"},
        {"ManyValues", "[" + times("1,", 60) + "1]", "more than 50 values"},
        {"ManyBytes", times(" ", 100'001), "expected at most 100000"},
        {"HugeInteger", "18446744073709551615", "too large"},
        {"HugeNumber", "1e999", "is no JSON"},
        {"NotUtf8", "\"\xff\"", "ill-formed UTF-8"},
        {"LoneSurrogate", R"("\ud800")", "is no JSON"},
        {"LongRubbish", times("x", 5000), "is no JSON"},
    }),
    [](const auto& test) { return test.param.name; });

TEST(Json, ViewSaysWhereAndWhat) {
  const JsonValue value = parse_json(R"({"a": {"b": [1, "x"]}})", "f");
  const JsonView view(value, "dir/config.json");
  const auto text_of = [](const std::function<void()>& act) -> std::string {
    try {
      act();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kData);
      return error.what();
    }
    return "did not throw";
  };
  EXPECT_EQ(text_of([&] { (void)view.at("a").at("b").items()[1].integer(); }),
            "dir/config.json: a.b[1] is a text, expected an integer");
  EXPECT_EQ(text_of([&] { (void)view.at("a").at("c"); }),
            "dir/config.json: a has no key 'c'");
  EXPECT_EQ(text_of([&] { (void)view.text(); }),
            "dir/config.json: is an object, expected a text");
  EXPECT_EQ(
      text_of([&] { (void)view.at("a").at("b").items()[0].integer(2, 4); }),
      "dir/config.json: a.b[0] is 1, expected 2 to 4");
}

TEST(Json, ComesBackAsItWasRead) {
  const std::string text =
      R"({"b":[1,-2,0.5,true,false,null],"a":{"\u0001\"\\\n":"ä"},"c":[],"d":{}})";
  EXPECT_EQ(json_text(parse_json(text, "t")), text);
  EXPECT_EQ(json_text(parse_json(R"({"a":[1,{"b":2.0}],"c":"x, y:z"})", "t"),
                      JsonSpaces::kSpaced),
            R"({"a": [1, {"b": 2.0}], "c": "x, y:z"})");
}

TEST(Json, TextThatIsNoUtf8IsMended) {
  EXPECT_EQ(json_quoted("a\xFF\"b"), "\"a\xEF\xBF\xBD\\\"b\"");
}

TEST(Json, MissingFileIsNotFound) {
  try {
    (void)read_json("/nowhere.json");
    FAIL() << "did not throw";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
  }
}

}  // namespace
}  // namespace penstock
