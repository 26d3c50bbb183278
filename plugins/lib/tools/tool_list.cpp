#include "lib/tools/tool_list.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "penstock/error.h"

namespace penstock::tools {
namespace {

void check_keys(const JsonView& object,
                const std::vector<std::string_view>& known) {
  for (const auto& [key, value] : object.members()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      value.fail("is not known here");
    }
  }
}

std::string name_of_tool(const JsonView& name) {
  const std::string& text = name.text();
  const bool is_fine = !text.empty() && text.size() <= kMostNameBytes &&
                       std::all_of(text.begin(), text.end(), may_be_in_name);
  if (!is_fine) {
    name.fail(str("is '", text.substr(0, kMostNameBytes), "', expected 1 to ",
                  kMostNameBytes, " letters, digits, _ and -"));
  }
  return text;
}

JsonValue parameters_of(const JsonView& function) {
  const auto found = function.find("parameters");
  const bool is_empty =
      !found || (found->is_object() && found->members().empty());
  if (is_empty) {
    return {JsonValue::Object{{"type", {std::string("object")}},
                              {"properties", {JsonValue::Object{}}}}};
  }
  const auto type = found->find("type");
  if (!type || !type->is_text() || type->text() != "object") {
    found->fail(R"(is no schema of an object, {"type": "object", ...})");
  }
  return found->value();
}

Tool tool_of(const JsonView& tool, std::size_t index) {
  const JsonView type = tool.at("type");
  if (type.text() != "function") {
    type.fail(str("is '", type.text().substr(0, kMostNameBytes),
                  "': only tools of the type function are known"));
  }
  check_keys(tool, {"type", "function"});
  const JsonView function = tool.at("function");
  check_keys(function, {"name", "description", "parameters", "strict"});
  if (const auto strict = function.find("strict")) (void)strict->boolean();
  const auto about = function.find("description");
  return {.name = name_of_tool(function.at("name")),
          .description = about ? about->text() : "",
          .parameters = parameters_of(function),
          .place = str("[", index, "].function.parameters")};
}

}  // namespace

bool may_be_in_name(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= '0' && byte <= '9') || byte == '_' || byte == '-';
}

std::vector<Tool> tools_of(const JsonView& tools) {
  const auto items = tools.items();
  if (items.size() > kMostTools) {
    tools.fail(str("has ", items.size(), " tools; the most is ", kMostTools));
  }
  std::vector<Tool> out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    Tool tool = tool_of(items[i], i);
    for (const Tool& other : out) {
      if (other.name == tool.name) {
        items[i].fail(str("is the second tool with the name ", tool.name));
      }
    }
    out.push_back(std::move(tool));
  }
  return out;
}

}  // namespace penstock::tools
