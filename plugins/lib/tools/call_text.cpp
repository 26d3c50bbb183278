#include "lib/tools/call_text.h"

#include <utility>

#include "lib/tools/escaped_arguments.h"
#include "penstock/error.h"
#include "penstock/json.h"

namespace penstock::tools {
namespace {

JsonValue parsed_arguments(const JsonView& arguments) {
  if (!arguments.is_text()) return arguments.value();
  // Nothing: no arguments.
  if (arguments.text().empty()) return {JsonValue::Object{}};
  try {
    return parse_json(arguments.text(), "");
  } catch (const Error&) {
    arguments.fail("is no JSON");
  }
}

}  // namespace

SaidCall said_call(const JsonView& call) {
  const JsonView function = call.at("function");
  const auto id = call.find("id");
  const JsonView arguments = function.at("arguments");
  SaidCall out{.id = id ? id->text() : "",
               .name = function.at("name").text(),
               .arguments = parsed_arguments(arguments)};
  if (!std::holds_alternative<JsonValue::Object>(out.arguments.data)) {
    arguments.fail("is JSON, but no object");
  }
  return out;
}

std::string call_text(const SaidCall& call, const CallSyntax& syntax) {
  const std::string arguments =
      syntax.notation == Notation::kEscaped
          ? escaped_of_json(call.arguments)
          : json_text(call.arguments, JsonSpaces::kSpaced);
  return syntax.open + call.name + syntax.middle + arguments + syntax.close;
}

}  // namespace penstock::tools
