#include "pipeline_serve/api/openai/tool_request.h"

#include <string_view>

#include "penstock/json.h"
#include "pipeline_run/input/tool_choice.h"

namespace penstock::serve {
namespace {

/// `tool_choice` is "none".
bool is_without_tools(const Body& body) {
  const auto choice = body.find("tool_choice");
  return choice && choice->is_text() && choice->text() == "none";
}

void check_choice_of_nothing(const Body& body) {
  const auto choice = body.find("tool_choice");
  const bool is_auto = choice && choice->is_text() && choice->text() == "auto";
  if (choice && !is_without_tools(body) && !is_auto) {
    choice->fail("asks for a call, but there are no tools");
  }
}

/// `tools`: in the shape of a chat.
void check_named(const JsonView& choice, const std::string& option,
                 const JsonValue& tools) {
  constexpr std::string_view kFunction = "function:";
  if (!option.starts_with(kFunction)) return;
  const std::string name = option.substr(kFunction.size());
  for (const JsonView& tool : JsonView(tools, "").items()) {
    const auto function = tool.find("function");
    const auto own = function ? function->find("name") : std::nullopt;
    if (own && own->is_text() && own->text() == name) return;
  }
  choice.fail(str("names '", name.substr(0, 64), "', which is no tool"));
}

}  // namespace

bool may_call_several(const Body& body) {
  return !body.find("parallel_tool_calls") || body.flag("parallel_tool_calls");
}

bool add_tools(const Body& body, ToolShape shape, const TextModel& model,
               std::map<std::string, Value>& inputs, Options& options) {
  const bool are_many = may_call_several(body);
  const auto tools = body.find("tools");
  const bool is_empty =
      !tools || reading([&] { return tools->items().empty(); });
  if (is_empty || is_without_tools(body)) {
    if (is_empty) reading([&] { check_choice_of_nothing(body); });
    return false;
  }
  if (model.option("tool_choice") == nullptr) {
    throw HttpError(
        bad_request(str("the model '", model.name(),
                        "' calls no tools; write a rule "
                        "before its sampler: decode: [{use: grammar.tools}, "
                        "{use: core.sample}]"),
                    "tools"));
  }
  const JsonValue nested = shape == ToolShape::kOfChat
                               ? tools->value()
                               : reading([&] { return nested_tools(*tools); });
  std::string option = "auto";
  if (const auto choice = body.find("tool_choice")) {
    reading([&] {
      option = run::tool_choice_option(*choice);
      check_named(*choice, option, nested);
    });
  }
  inputs["tools"] = Json{penstock::json_text(nested)};
  options["tool_choice"] = RawScalar{.text = option, .quoted = true};
  options["parallel_tool_calls"] =
      RawScalar{.text = are_many ? "true" : "false"};
  return true;
}

void check_beside_tools(const Options& options, const std::string& form_param,
                        const std::string& logprobs_param) {
  if (options.contains("json") || options.contains("json_schema")) {
    throw HttpError(
        bad_request(str(form_param,
                        " cannot be asked for beside tools; with tool_choice: "
                        "none no tool is called"),
                    form_param));
  }
  if (options.contains("logprobs")) {
    throw HttpError(
        bad_request("logprobs are not there beside tools", logprobs_param));
  }
}

std::optional<HttpError> tools_error(const Error& error, ToolShape shape) {
  constexpr std::string_view kTools = "tools: ";
  const std::string text = error.text();
  if (!text.starts_with(kTools)) return std::nullopt;
  const std::string rest = complaint_in(shape, text.substr(kTools.size()));
  const std::string place = rest.starts_with('[') ? place_of(rest) : "";
  return bad_request(place.empty() ? text : "tools" + rest, "tools" + place);
}

}  // namespace penstock::serve
