#include "pipeline_run/input/response_format.h"

#include <algorithm>
#include <vector>

#include "penstock/error.h"
#include "penstock/json.h"

namespace penstock::run {
namespace {

using FormOptions = std::map<std::string, Raw>;

constexpr std::size_t kMostName = 64;

bool may_be_in_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '_' || c == '-';
}

void check_form_name(const JsonView& name) {
  const std::string& text = name.text();
  const bool is_fine = !text.empty() && text.size() <= kMostName &&
                       std::all_of(text.begin(), text.end(), may_be_in_name);
  if (!is_fine) {
    name.fail(str("is '", text.substr(0, kMostName), "', expected 1 to ",
                  kMostName, " letters, digits, _ and -"));
  }
}

/// Each says what the pipeline's file may say otherwise.
FormOptions any_object() {
  return {{"json", RawScalar{.text = "true"}},
          {"json_schema", RawScalar{.text = "", .quoted = true}}};
}

/// Members of `described` beside those of the route itself.
FormOptions of_schema(const JsonView& described,
                      const std::vector<std::string>& others) {
  for (const auto& [key, value] : described.members()) {
    const bool is_known =
        key == "name" || key == "description" || key == "schema" ||
        key == "strict" ||
        std::find(others.begin(), others.end(), key) != others.end();
    if (!is_known) value.fail("is not known here");
  }
  check_form_name(described.at("name"));
  if (const auto about = described.find("description")) (void)about->text();
  if (const auto strict = described.find("strict")) (void)strict->boolean();
  const auto schema = described.find("schema");
  if (!schema) return any_object();
  if (!schema->is_object()) schema->fail("is no object");
  return {{"json", RawScalar{.text = "false"}},
          {"json_schema",
           RawScalar{.text = json_text(schema->value()), .quoted = true}}};
}

FormOptions options_of_type(const JsonView& format, bool is_flat) {
  const JsonView type = format.at("type");
  const std::string& word = type.text();
  if (word == "json_schema") {
    return is_flat ? of_schema(format, {"type"})
                   : of_schema(format.at("json_schema"), {});
  }
  if (word != "text" && word != "json_object") {
    type.fail(str("is '", word.substr(0, kMostName),
                  "', expected one of text, json_object, json_schema"));
  }
  for (const auto& [key, value] : format.members()) {
    if (key != "type") value.fail(str("is not known beside the type ", word));
  }
  return word == "text" ? FormOptions() : any_object();
}

}  // namespace

std::map<std::string, Raw> format_options(const JsonView& format) {
  for (const auto& [key, value] : format.members()) {
    if (key != "type" && key != "json_schema") value.fail("is not known here");
  }
  return options_of_type(format, /*is_flat=*/false);
}

std::map<std::string, Raw> flat_format_options(const JsonView& format) {
  return options_of_type(format, /*is_flat=*/true);
}

std::string rule_advice(const std::string& complaint) {
  const auto is_about = [&](const char* option) {
    return complaint.starts_with(str("option '", option, "' is unknown"));
  };
  const char* rule = nullptr;
  if (is_about("json") || is_about("json_schema")) rule = "grammar.rule";
  if (is_about("tool_choice") || is_about("parallel_tool_calls")) {
    rule = "grammar.tools";
  }
  if (rule == nullptr) return "";
  return str("; to have it, write a rule before the sampler: decode: [{use: ",
             rule, "}, {use: core.sample}]");
}

}  // namespace penstock::run
