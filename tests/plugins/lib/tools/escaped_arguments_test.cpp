#include "lib/tools/escaped_arguments.h"

#include <gtest/gtest.h>

#include "penstock/json.h"

namespace penstock::tools {
namespace {

TEST(EscapedArguments, AreJsonAndBack) {
  const auto both = [](const std::string& escaped, const std::string& json) {
    EXPECT_EQ(json_of_escaped(escaped), json);
    const JsonValue value = parse_json(json, "json");
    EXPECT_EQ(escaped_of_json(value), escaped);
  };
  both("{}", "{}");
  both("{a:<escape><escape>}", R"({"a": ""})");
  both("{a:<escape>say \"x\", {ok}<escape>,b:-1.5,c:true,d:null}",
       R"({"a": "say \"x\", {ok}", "b": -1.5, "c": true, "d": null})");
  both("{a:[1,[],<escape>x<escape>],b:{c:{}}}",
       R"({"a": [1, [], "x"], "b": {"c": {}}})");
  both("{a:<escape>two\nlines \xC3\xA4<escape>}",
       "{\"a\": \"two\\nlines \xC3\xA4\"}");
}

TEST(EscapedArguments, ThatAreNoneAreRefused) {
  for (const std::string text :
       {"", "{", "}", "{a}", "{a:}", "{:1}", "{a:1,}", "{a:1 b:2}", "{a:b}",
        "{a:<escape>x}", "{a:[1,}", "{a:1}x", "[1]", "{a:1,a:2}", "{a:\"x\"}",
        "{a:{b:1}", "{a:01}", "{a:nul}", "{a:<escape>x<escape>y}"}) {
    EXPECT_EQ(json_of_escaped(text), std::nullopt) << text;
  }
  std::string deep = "{a:";
  for (int i = 0; i < 100'000; ++i) deep += "{a:";
  EXPECT_EQ(json_of_escaped(deep), std::nullopt);
}

}  // namespace
}  // namespace penstock::tools
