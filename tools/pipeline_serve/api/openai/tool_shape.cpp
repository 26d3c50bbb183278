#include "pipeline_serve/api/openai/tool_shape.h"

#include <string_view>
#include <utility>

#include "penstock/json.h"

namespace penstock::serve {
namespace {

constexpr const char* kType = "type";

JsonValue nested(const JsonView& tool) {
  JsonValue::Object function, out;
  for (const auto& [name, value] : tool.members()) {
    (name == kType ? out : function).push_back({name, value.value()});
  }
  const auto type = tool.find(kType);
  const bool is_function =
      type && type->is_text() && type->text() == "function";
  // Of another kind of tool only its type is complained of.
  if (is_function) out.push_back({"function", {std::move(function)}});
  return {std::move(out)};
}

}  // namespace

JsonValue nested_tools(const JsonView& tools) {
  JsonValue::Array out;
  for (const JsonView& tool : tools.items()) out.push_back(nested(tool));
  return {std::move(out)};
}

std::string repeated_tools(const JsonView& tools) {
  JsonValue::Array out;
  for (const JsonView& tool : tools.items()) {
    auto members = std::get<JsonValue::Object>(tool.value().data);
    if (!tool.find("parameters")) members.push_back({"parameters", {}});
    // Every call is held to its schema, whatever was said.
    if (!tool.find("strict")) members.push_back({"strict", {true}});
    out.push_back({std::move(members)});
  }
  return penstock::json_text({std::move(out)});
}

std::string complaint_in(ToolShape shape, std::string complaint) {
  constexpr std::string_view kFunction = ".function";
  const auto end = complaint.find(']');
  if (shape == ToolShape::kOfResponse && end != std::string::npos &&
      complaint.compare(end + 1, kFunction.size(), kFunction) == 0) {
    complaint.erase(end + 1, kFunction.size());
  }
  return complaint;
}

}  // namespace penstock::serve
