// Calls in what a model writes, however it is cut into pieces.
#include "lib/tools/call_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "lib/tools/call_text.h"

namespace penstock::tools {
namespace {

/// "text|name(arguments)|name(arguments)".
std::string shown(const CallReader::Found& found) {
  std::string out = found.text;
  for (const ToolCall& call : found.calls) {
    out += "|" + call.name + "(" + call.arguments + ")";
  }
  return out;
}

template <class NextSize>
CallReader::Found read_all(const std::string& syntax, const std::string& text,
                           const NextSize& next_size) {
  CallReader reader(syntax_named(syntax));
  CallReader::Found all;
  const auto take = [&](CallReader::Found more) {
    all.text += more.text;
    for (ToolCall& call : more.calls) all.calls.push_back(std::move(call));
  };
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = next_size();
    take(reader.add(text.substr(at, size)));
    at += size;
  }
  take(reader.finish());
  return all;
}

/// "text|name(arguments)": of parts put together.
std::string shown_in_parts(const std::string& syntax, const std::string& text,
                           std::size_t size) {
  CallReader reader(syntax_named(syntax), CallsCome::kInParts);
  std::string shown;
  std::string calls;
  const auto take = [&](const CallReader::Found& more) {
    EXPECT_TRUE(more.calls.empty());
    shown += more.text;
    for (const CallPart& part : more.parts) {
      if (part.is_begin) calls += "|" + part.name + ":";
      calls += part.arguments;
    }
  };
  for (std::size_t at = 0; at < text.size(); at += size) {
    take(reader.add(text.substr(at, size)));
  }
  take(reader.finish());
  return shown + calls;
}

struct Answer {
  std::string name, syntax, text, wanted;
};
void PrintTo(const Answer& c, std::ostream* os) { *os << c.name; }

class Answers : public ::testing::TestWithParam<Answer> {};

TEST_P(Answers, AreReadTheSameHoweverTheyAreCut) {
  const auto& [name, syntax, text, wanted] = GetParam();
  EXPECT_EQ(shown(read_all(syntax, text, [&] { return text.size() + 1; })),
            wanted);
  EXPECT_EQ(shown(read_all(syntax, text, [] { return std::size_t{1}; })),
            wanted);
  for (std::size_t cut = 1; cut < text.size(); ++cut) {
    std::size_t size = text.size() - cut;
    const auto found = read_all(syntax, text, [&] {
      size = text.size() - size;
      return size;
    });
    ASSERT_EQ(shown(found), wanted) << "cut at " << cut;
  }
  std::mt19937 engine(7);
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(shown(read_all(syntax, text,
                             [&] { return std::size_t{1} + engine() % 9; })),
              wanted);
  }
}

const std::string kCall =
    "```tool_code\n{\"name\": \"f\", \"parameters\": {\"a\": 1}}\n```";
const std::string kOpen = "```tool_code\n{\"name\": \"";
const std::string kEscaped =
    "<start_function_call>call:f{a:<escape>b}{<escape>,n:2}<end_function_call>";

INSTANTIATE_TEST_SUITE_P(
    Fenced, Answers,
    ::testing::ValuesIn<Answer>({
        {"Nothing", "fenced", "", ""},
        {"Words", "fenced", "Hi there. ", "Hi there. "},
        {"Blank", "fenced", "\n ", "\n "},
        {"Call", "fenced", kCall, R"(|f({"a": 1}))"},
        {"WordsAndCall", "fenced", "Let me see.\n" + kCall,
         R"(Let me see.|f({"a": 1}))"},
        {"CallAndWords", "fenced", kCall + "\n\nDone.", R"(Done.|f({"a": 1}))"},
        {"WordsAroundCalls", "fenced", "A.\n" + kCall + "\n" + kCall + " B.",
         R"(A.
B.|f({"a": 1})|f({"a": 1}))"},
        {"TwoCalls", "fenced", kCall + "\n" + kCall,
         R"(|f({"a": 1})|f({"a": 1}))"},
        {"OtherCode", "fenced", "```tool_code\nprint(1)\n```",
         "```tool_code\nprint(1)\n```"},
        {"TextWithBrackets", "fenced",
         kOpen + R"(f", "parameters": {"a": "}]{\"}"}})" + "\n```",
         R"(|f({"a": "}]{\"}"}))"},
        {"RawLineBreak", "fenced",
         kOpen + "f\", \"parameters\": {\"a\": \"x\ny\"}}\n```",
         R"(|f({"a": "x\u000ay"}))"},
        {"Nested", "fenced",
         kOpen + R"(f", "parameters": {"a": {"b": [{}, []]}}})" + "\n```",
         R"(|f({"a": {"b": [{}, []]}}))"},
        {"Cut", "fenced", kOpen + R"(f", "parameters": {"a": )",
         kOpen + R"(f", "parameters": {"a": )"},
        {"CutBehindACall", "fenced", kCall + "\n" + kOpen + "g",
         kOpen + R"(g|f({"a": 1}))"},
        {"CutInTheName", "fenced", kOpen, kOpen},
        {"NoName", "fenced", kOpen + R"(", "parameters": {}})",
         kOpen + R"(", "parameters": {}})"},
        {"OddName", "fenced", kOpen + R"(a b", "parameters": {}})",
         kOpen + R"(a b", "parameters": {}})"},
        {"LongName", "fenced", kOpen + std::string(65, 'a') + "\"",
         kOpen + std::string(65, 'a') + "\""},
        {"OtherMember", "fenced", kOpen + R"(f", "arguments": {}})",
         kOpen + R"(f", "arguments": {}})"},
        {"NoObject", "fenced", kOpen + R"(f", "parameters": [1]})",
         kOpen + R"(f", "parameters": [1]})"},
        {"NoJson", "fenced", kOpen + R"(f", "parameters": {a: 1}})" + "\n```",
         kOpen + R"(f", "parameters": {a: 1}})" + "\n```"},
        {"KeyTwice", "fenced",
         kOpen + R"(f", "parameters": {"a": 1, "a": 2}})" + "\n```",
         kOpen + R"(f", "parameters": {"a": 1, "a": 2}})" + "\n```"},
        {"WrongEnd", "fenced", kOpen + R"(f", "parameters": {}},)",
         kOpen + R"(f", "parameters": {}},)"},
        {"CallInWhatWasNone", "fenced", kOpen + kCall,
         kOpen.substr(0, kOpen.size()) + R"(|f({"a": 1}))"},
        {"DeepBrackets", "fenced",
         kOpen + R"(f", "parameters": )" + std::string(40, '{'),
         kOpen + R"(f", "parameters": )" + std::string(40, '{')},
    }),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Others, Answers,
    ::testing::ValuesIn<Answer>({
        {"Json", "json", R"(So: {"name": "f", "parameters": {}} end)",
         "So: end|f({})"},
        {"JsonData", "json", R"({"name": "Bob", "age": 4})",
         R"({"name": "Bob", "age": 4})"},
        {"Tagged", "tagged",
         "<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n</tool_call>",
         "|f({})"},
        {"Escaped", "functiongemma", kEscaped, R"(|f({"a": "b}{", "n": 2}))"},
        {"EscapedTwice", "functiongemma", kEscaped + kEscaped,
         R"(|f({"a": "b}{", "n": 2})|f({"a": "b}{", "n": 2}))"},
        {"EscapedEmpty", "functiongemma",
         "<start_function_call>call:f{}<end_function_call>", "|f({})"},
        {"EscapedCut", "functiongemma", kEscaped.substr(0, 40),
         kEscaped.substr(0, 40)},
        {"EscapedOpenText", "functiongemma",
         "<start_function_call>call:f{a:<escape>b}<end_function_call>",
         "<start_function_call>call:f{a:<escape>b}<end_function_call>"},
        {"EscapedBareWord", "functiongemma",
         "<start_function_call>call:f{a:oslo}<end_function_call>",
         "<start_function_call>call:f{a:oslo}<end_function_call>"},
    }),
    [](const auto& test) { return test.param.name; });

TEST(CallReader, ReadsWhatCallTextWrites) {
  const JsonValue call = parse_json(
      R"({"id": "x", "type": "function", "function": {"name": "get_it",
          "arguments": "{\"b\": [1, {\"c\": \"d\\ne\"}], \"a\": null}"}})",
      "call");
  const SaidCall said = said_call(JsonView(call, "call"));
  for (const std::string& name : syntax_names()) {
    const std::string text = call_text(said, syntax_named(name));
    const auto found = read_all(name, text, [] { return std::size_t{3}; });
    ASSERT_EQ(found.calls.size(), 1) << text;
    EXPECT_EQ(found.calls[0].name, "get_it");
    const bool is_sorted = name == "functiongemma";
    EXPECT_EQ(found.calls[0].arguments,
              is_sorted ? R"({"a": null, "b": [1, {"c": "d\ne"}]})"
                        : R"({"b": [1, {"c": "d\ne"}], "a": null})");
    EXPECT_EQ(found.text, "");
  }
}

/// Whatever comes is read the same in two ways, and never harms.
TEST(CallReader, TakesAnything) {
  const std::vector<std::string> parts{kOpen,
                                       kCall,
                                       "```",
                                       "f",
                                       "\", \"parameters\": ",
                                       "{",
                                       "}",
                                       "\"",
                                       "\\",
                                       "\n",
                                       "<tool_call>\n{\"name\": \"",
                                       "<escape>",
                                       "call:",
                                       " ",
                                       "<start_function_call>call:",
                                       "<end_function_call>",
                                       "\xC3",
                                       "[",
                                       "]"};
  std::mt19937 engine(1);
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (auto i = engine() % 12; i > 0; --i) {
      text += parts[engine() % parts.size()];
    }
    for (const std::string& name : syntax_names()) {
      const auto whole = read_all(name, text, [&] { return text.size() + 1; });
      const auto cut = read_all(name, text, [] { return std::size_t{1}; });
      ASSERT_EQ(shown(whole), shown(cut)) << name << ": " << text;
    }
  }
}

TEST(Parts, AreTheCallHoweverTheTextIsCut) {
  const std::string two = "So. " + kCall + "\n" + kCall + " done";
  for (std::size_t size = 1; size < 12; ++size) {
    EXPECT_EQ(shown_in_parts("fenced", two, size),
              "So. done|f:{\"a\": 1}|f:{\"a\": 1}");
    EXPECT_EQ(shown_in_parts("functiongemma", kEscaped, size),
              "|f:{\"a\": \"b}{\", \"n\": 2}");
  }
}

TEST(Parts, ComeBeforeTheCallIsWhole) {
  CallReader reader(syntax_named("fenced"), CallsCome::kInParts);
  const auto name = reader.add(kOpen + "f\", \"parameters\": ");
  ASSERT_EQ(name.parts.size(), 1);
  EXPECT_EQ(name.parts[0].name, "f");
  const auto some = reader.add("{\"city\": \"Os");
  ASSERT_EQ(some.parts.size(), 1);
  EXPECT_EQ(some.parts[0].arguments, "{\"city\": \"Os");
  EXPECT_EQ(reader.finish().text, "") << "it was told, and is no text";
}

TEST(Parts, LeaveWhatOnlyLooksLikeACallAsText) {
  const std::string text = "```tool_code\nprint(1)\n```";
  EXPECT_EQ(shown_in_parts("fenced", text, 3), text);
}

}  // namespace
}  // namespace penstock::tools
