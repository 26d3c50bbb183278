// Chat templates held against jinja2, their limits, and where text comes from.
#include "gemma/jinja/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "penstock/error.h"

namespace penstock::gemma::jinja {
namespace {

using ::testing::HasSubstr;

/// 2026-03-04 05:06:07 UTC, as make_chat.py has it.
constexpr std::time_t kNow = 1772600767;

std::string golden(const std::string& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(PENSTOCK_SOURCE_DIR "/tests/golden/chat/" + path,
                         std::ios::binary)
               .rdbuf();
  return bytes.str();
}

std::string run(const std::string& source, Map variables = {},
                const Limits& limits = {}) {
  return Template(source, limits).run(std::move(variables), kNow).bytes();
}

TEST(Templates, WriteWhatJinja2Writes) {
  setenv("TZ", "UTC", 1);
  tzset();
  const JsonValue cases = parse_json(golden("cases.json"), "cases.json");
  int count = 0;
  for (const JsonView& each : JsonView(cases, "cases.json").items()) {
    const std::string name = each.at("template").text();
    SCOPED_TRACE(name + " " + each.at("input").text());
    const Map given = variables_of(each.at("variables").value());
    const std::string source = golden("templates/" + name + ".jinja");
    if (const auto output = each.find("output")) {
      try {
        EXPECT_EQ(run(source, given), output->text());
      } catch (const Error& error) {
        ADD_FAILURE() << error.text();
      }
    } else {
      EXPECT_THROW((void)run(source, given), Error);
    }
    ++count;
  }
  EXPECT_GE(count, 200);
}

TEST(Expressions, AreJinja2s) {
  const JsonValue file = parse_json(golden("expressions.json"), "expressions");
  int count = 0;
  for (const JsonView& row : JsonView(file, "expressions").at("rows").items()) {
    const std::string& source = row.at("source").text();
    SCOPED_TRACE(source);
    const auto output = row.find("output");
    try {
      const std::string got = run(source);
      ++count;
      if (output) {
        EXPECT_EQ(got, output->text());
      } else {
        ADD_FAILURE() << "wrote: " << got << "; jinja2 says "
                      << row.at("error").text();
      }
    } catch (const Error& error) {
      if (output) ADD_FAILURE() << error.text() << "; not " << output->text();
    }
  }
  EXPECT_GE(count, 230);
}

struct Case {
  std::string name, source, wanted;
};
void PrintTo(const Case& c, std::ostream* os) { *os << c.name; }

class Faults : public ::testing::TestWithParam<Case> {};

TEST_P(Faults, AreExplained) {
  const Limits limits{.steps = 20'000, .output = 10'000, .source = 10'000};
  try {
    ADD_FAILURE() << run(GetParam().source, {}, limits);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    EXPECT_THAT(error.text(), HasSubstr(GetParam().wanted));
  }
}

std::string times(const std::string& text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

INSTANTIATE_TEST_SUITE_P(
    Table, Faults,
    ::testing::ValuesIn<Case>({
        {"NoEndOfTag", "a\n{{ b", "line 2: a tag has no end; expected }}"},
        {"NoEndOfBlock", "{% if a %}\n", "expected {% endif %}, not the end"},
        {"NoEndOfText", "{{ 'a }}", "a text has no closing quote"},
        {"NoEndOfComment", "{# a", "a comment has no end"},
        {"NoEndOfRaw", "{% raw %}a", "has no {% endraw %}"},
        {"UnknownTag", "\n\n{% include 'a' %}", "line 3: expected if, for,"},
        {"StrayEnd", "{% endif %}", "expected if, for,"},
        {"StrayElse", "{% for a in b %}{% elif c %}", "expected if, for,"},
        {"BreakOutside", "{% break %}", "expected a loop around it"},
        {"UnknownFilter", "\n{{ 'a' | frob }}", "line 2: there is no filter"},
        {"UnknownTest", "{{ 1 is frob }}", "there is no test 'frob'"},
        {"UnknownMethod", "{{ 'a'.frob() }}", "no function or method 'frob'"},
        {"CallOfNoFunction", "{{ 'a'() }}", "a text cannot be called"},
        {"MemberOfNothing", "{{ a.b }}", "'a' is undefined"},
        {"SumOfNothing", "{{ 'a' + b }}", "'b' is undefined"},
        {"SumOfKinds", "{{ 'a' + 1 }}", "cannot compute a text + an integer"},
        {"OrderOfKinds", "{{ 'a' < 1 }}", "cannot compare a text with an"},
        {"DivisionByZero", "{{ 1 // 0 }}", "a division by 0"},
        {"Overflow", "{{ 9223372036854775807 + 1 }}", "became too large"},
        {"HugeNumber", "{{ 99999999999999999999 }}", "a smaller number"},
        {"Raised", "{{ raise_exception('no') }}", "the template says: no"},
        {"NoNamespace", "{% set a = 1 %}{% set a.b = 2 %}",
         "'a' is no namespace"},
        {"TooManyNames", "{% set a, b = [1] %}", "1 values for 2 names"},
        {"TooManyArguments", "{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}",
         "macro m takes 1 arguments, not 2"},
        {"Endless",
         "{% for a in range(99) %}{% for b in range(99) %}"
         "{% for c in range(99) %}{% endfor %}{% endfor %}{% endfor %}",
         "it runs longer than 20000 steps"},
        {"HugeRange", "{{ range(100000000) }}", "more than 100000 numbers"},
        {"HugeOutput", "{% for a in range(99) %}{{ 'x' * 999 }}{% endfor %}",
         "larger than 10000 bytes"},
        {"HugeText", "{{ 'x' * 99999999999 }}", "became too large"},
        {"Doubling",
         "{% set n = namespace(t='abcdefgh') %}{% for a in range(99) %}"
         "{% set n.t = n.t ~ n.t %}{% endfor %}",
         "larger than 10000 bytes"},
        {"HugeWidth", "{{ '%999999s' % 'x' }}", "width or precision is above"},
        {"UnknownArgument", "{{ 1 | tojson(width=2) }}",
         "filter 'tojson' has no argument 'width'"},
        {"ArgumentTwice", "{{ 'a' | replace('a', 'b', old='c') }}",
         "filter 'replace' has argument 'old' twice"},
        {"TooManyForATest", "{{ 1 is odd(2) }}",
         "test 'odd' takes 0 arguments, not 1"},
        {"UnknownOfAMethod", "{{ 'a'.split(by=1) }}",
         "method 'split' has no argument 'by'"},
        {"UnknownOfAMacro", "{% macro m() %}{% endmacro %}{{ m(a=1) }}",
         "macro m has no argument 'a'"},
        {"Recursion", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
         "it calls itself too deeply"},
        {"DeepBrackets",
         "{{ " + times("(", 2000) + "1" + times(")", 2000) + "}}",
         "less nesting"},
        {"DeepBlocks", times("{% if 1 %}", 900), "less nesting"},
        {"DeepMinus", "{{ " + times("-", 2000) + "1 }}", "less nesting"},
        {"LongSource", times("x", 20'000), "has 20000 bytes; the most is"},
        {"NotUtf8", "a\xFF", "not UTF-8 at byte 1"},
        {"StrangeSign", "{{ a ? b }}", "does not understand '?'"},
        {"LengthOfANumber", "{{ 1 | length }}", "an integer has no length"},
        {"InText", "{{ 1 in 'a' }}", "'in' a text needs a text"},
        {"SliceByText", "{{ 'abc'['a':] }}", "a slice needs integers"},
        {"RangeOfText", "{{ range('a') }}", "expected an integer"},
        {"Rsplit", "{{ 'a'.rsplit('') }}", "needs a separator"},
        {"ReplaceOne", "{{ 'a' | replace('a') }}",
         "filter 'replace' needs argument 'new'"},
        {"MethodOnNumber", "{{ 'a'.find(1) }}", "a method needs a text"},
        {"PrintedFunction", "{{ range }}", "a function cannot be printed"},
        {"JsonOfNothing", "{{ a | tojson }}", "tojson: cannot write"},
        {"ShortHex", "{{ '\\x4' }}", "an escape needs hexadecimal digits"},
        {"EmptyTag", "{{ }}", "expected a value"},
    }),
    [](const auto& test) { return test.param.name; });

/// What one filter or function could ask for without ever coming to a limit of
/// steps or output.
TEST(Limits, HoldWithinOneStep) {
  const std::vector<Case> cases{
      {"Join", "{{ range(99999) | join('x' * 9999) }}", "larger than 67108864"},
      {"Replace", "{{ ('x' * 99999) | replace('x', 'y' * 9999) }}",
       "larger than 67108864"},
      {"Pairs", "{{ dict(range(20000)) }}", "more than 10000 pairs"},
      {"Unique", "{{ range(20000) | unique }}", "more than 10000 items"}};
  for (const Case& each : cases) {
    SCOPED_TRACE(each.name);
    try {
      ADD_FAILURE() << run(each.source).size();
    } catch (const Error& error) {
      EXPECT_THAT(error.text(), HasSubstr(each.wanted));
    }
  }
}

/// What came from a message, in brackets.
std::string marked(const Text& text) {
  std::string out;
  bool was = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.is_content(i) != was) out += was ? ']' : '[';
    was = text.is_content(i);
    out += text.bytes()[i];
  }
  return was ? out + "]" : out;
}

TEST(Origin, FollowsATextThroughEverything) {
  const JsonValue json =
      parse_json(R"({"c": " a-b ", "l": ["x"], "m": {"k": "v"}})", "test");
  const auto origin = [&](const std::string& source) {
    return marked(Template(source).run(variables_of(json), kNow));
  };
  EXPECT_EQ(origin("<{{ c }}>"), "<[ a-b ]>");
  EXPECT_EQ(origin("{{ '<' + c | trim + '>' }}"), "<[a-b]>");
  EXPECT_EQ(origin("{{ c.split('-')[1] | upper }}!"), "[B ]!");
  EXPECT_EQ(origin("{{ c | replace('-', '+') }}"), "[ a]+[b ]");
  EXPECT_EQ(origin("{{ l | tojson }}"), R"(["[x]"])");
  EXPECT_EQ(origin("{{ 'ß' ~ c | upper }}{{ ('ß' ~ c) | upper }}"),
            "ß[ A-B ]SS[ A-B ]");
  EXPECT_EQ(origin("{{ '<%s|%3d>' % (c, 1) }}{{ '{:>6}'.format(c) }}"),
            "<[ a-b ]|  1> [ a-b ]");
  EXPECT_EQ(origin("{% for k in {'t': 1} %}{{ k }}{% endfor %}{{ m }}"),
            "t{'[k]': '[v]'}");
  EXPECT_EQ(origin("{{ c[1:-1] ~ (l | join) }}"), "[a-bx]");
  EXPECT_EQ(origin("{% set s %}<{{ c }}>{% endset %}{{ s }}"), "<[ a-b ]>");
  EXPECT_EQ(origin("{% macro m(t) %}<{{ t }}>{% endmacro %}{{ m(c) }}"),
            "<[ a-b ]>");
  EXPECT_EQ(origin("{% for k, v in {'k': c}.items() %}{{ v }}{% endfor %}"),
            "[ a-b ]");
}

}  // namespace
}  // namespace penstock::gemma::jinja
