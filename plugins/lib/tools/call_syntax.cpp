#include "lib/tools/call_syntax.h"

#include <algorithm>

#include "penstock/error.h"

namespace penstock::tools {
namespace {

/// A model that was told of the parameters calls them so.
constexpr const char* kMiddle = "\", \"parameters\": ";

const std::vector<CallSyntax>& syntaxes() {
  static const std::vector<CallSyntax> all{
      {.name = "fenced",
       .open = "```tool_code\n{\"name\": \"",
       .middle = kMiddle,
       .close = "}\n```",
       .answer_open = "```tool_output\n",
       .answer_close = "\n```"},
      {.name = "json",
       .open = "{\"name\": \"",
       .middle = kMiddle,
       .close = "}",
       .answer_open = "Result of the call:\n",
       .answer_close = ""},
      {.name = "tagged",
       .open = "<tool_call>\n{\"name\": \"",
       .middle = "\", \"arguments\": ",
       .close = "}\n</tool_call>",
       .answer_open = "<tool_response>\n",
       .answer_close = "\n</tool_response>"},
      {.name = "functiongemma",
       .open = "<start_function_call>call:",
       .middle = "",
       .close = "<end_function_call>",
       .between = "",
       .notation = Notation::kEscaped,
       .answer_open = "<start_function_response>",
       .answer_close = "<end_function_response>"}};
  return all;
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

const std::vector<std::string>& syntax_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    for (const CallSyntax& each : syntaxes()) out.push_back(each.name);
    return out;
  }();
  return names;
}

CallSyntax syntax_named(std::string_view name) {
  const auto& all = syntaxes();
  const auto found =
      std::find_if(all.begin(), all.end(),
                   [&](const CallSyntax& each) { return each.name == name; });
  if (found != all.end()) return *found;
  throw Error(Code::kUsage, str("there is no call syntax '", name, "'"));
}

std::string syntax_of_template(std::string_view source) {
  if (has(source, "<start_function_call>")) return "functiongemma";
  if (has(source, "<tool_call>")) return "tagged";
  // Gemma 3 writes code in fences, and calls where it is told to.
  return has(source, "<start_of_turn>") ? "fenced" : "json";
}

}  // namespace penstock::tools
