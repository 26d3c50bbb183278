#include "grammar/calls_tag.h"

#include <xgrammar/xgrammar.h>

#include <algorithm>
#include <utility>

#include "grammar/escaped_grammar.h"
#include "grammar/log.h"
#include "grammar/schema_check.h"
#include "lib/tools/spaced_json.h"
#include "penstock/error.h"

namespace penstock::grammar {
namespace {

/// Of all tools together: lengths of texts, as of one schema.
constexpr std::int64_t kMostLengths = 256;

/// What the lengths of a schema's texts come to; large ones are refused where
/// the schema is checked.
std::int64_t lengths_of(const JsonValue& schema) {
  std::int64_t sum = 0;
  if (const auto* list = std::get_if<JsonValue::Array>(&schema.data)) {
    for (const JsonValue& each : *list) sum += lengths_of(each);
  }
  const auto* object = std::get_if<JsonValue::Object>(&schema.data);
  if (object == nullptr) return sum;
  std::int64_t longest = 0;
  for (const auto& [key, value] : *object) {
    const auto* number = std::get_if<std::int64_t>(&value.data);
    if (number != nullptr && (key == "minLength" || key == "maxLength")) {
      longest = std::max(longest, *number);
    }
    sum += lengths_of(value);
  }
  return sum + longest;
}

/// The complaint about a schema, "json_schema: properties.a is ...", as one
/// about the tool that it is of.
[[noreturn]] void refuse(const tools::Tool& tool, const Error& error) {
  std::string text = error.text();
  constexpr std::string_view kOwn = "json_schema: ";
  if (text.starts_with(kOwn)) text.erase(0, kOwn.size());
  // Words that begin a complaint about the whole.
  const bool is_whole = text.starts_with("has ") || text.starts_with("is ") ||
                        text.starts_with("refers ") ||
                        text.starts_with("nests ");
  throw Error(error.code(),
              str("tools: ", tool.place, is_whole ? " " : ".", text));
}

/// Arguments of the tool, as EBNF.
std::string arguments_grammar(const tools::Tool& tool,
                              tools::Notation notation) {
  const std::string schema = tools::spaced_json(tool.parameters);
  if (notation == tools::Notation::kEscaped) {
    return escaped_grammar(JsonView(tool.parameters, "json_schema"));
  }
  check_schema(schema);
  Warnings warnings;
  const auto grammar =
      xgrammar::Grammar::FromJSONSchema(schema, /*any_whitespace=*/false);
  if (!warnings.all().empty()) {
    throw Error(Code::kData, str("is not supported: ", warnings.all().front()));
  }
  return grammar.ToString();
}

std::string tag_of(const tools::Tool& tool, const tools::CallSyntax& syntax) {
  std::string grammar;
  try {
    grammar = arguments_grammar(tool, syntax.notation);
  } catch (const Error& error) {
    refuse(tool, error);
  } catch (const std::exception& error) {
    refuse(tool, Error(Code::kData, str("is not supported: ", error.what())));
  }
  return str(R"({"type": "tag", "begin": )",
             tools::quoted(syntax.open + tool.name + syntax.middle),
             R"(, "content": {"type": "grammar", "grammar": )",
             tools::quoted(grammar), R"(}, "end": )",
             tools::quoted(syntax.close), "}");
}

}  // namespace

std::string calls_tag(const CallsAsked& asked,
                      const tools::CallSyntax& syntax) {
  std::string tags;
  std::int64_t lengths = 0;
  for (const tools::Tool& tool : asked.tools) {
    tags += (tags.empty() ? "" : ", ") + tag_of(tool, syntax);
    lengths += lengths_of(tool.parameters);
    if (lengths > kMostLengths) {
      refuse(tool, Error(Code::kData,
                         str("has, with those before it, texts whose lengths "
                             "come to ",
                             lengths, "; the most is ", kMostLengths)));
    }
  }
  // Free text until a call opens; or calls alone.
  const std::string form = asked.is_required && asked.are_many
                               ? str(R"("tags_with_separator", "separator": )",
                                     tools::quoted(syntax.between))
                               : str(R"("triggered_tags", "triggers": [)",
                                     tools::quoted(syntax.open), "]");
  return str(R"({"type": "structural_tag", "format": {"type": )", form,
             R"(, "tags": [)", tags, R"(], "at_least_one": )",
             asked.is_required ? "true" : "false", R"(, "stop_after_first": )",
             asked.are_many ? "false" : "true", "}}");
}

}  // namespace penstock::grammar
