#include "grammar/calls_tag.h"

#include <cstdint>
#include <utility>

#include "grammar/character_set.h"
#include "grammar/escaped_grammar.h"
#include "grammar/grammar_cost.h"
#include "grammar/log.h"
#include "grammar/schema_grammar.h"
#include "penstock/error.h"
#include "penstock/json.h"

namespace penstock::grammar {
namespace {

/// The complaint about a schema, "json_schema: properties.a is ...", as one
/// about the tool that it is of.
[[noreturn]] void refuse(const tools::Tool& tool, const Error& error) {
  std::string text = error.text();
  constexpr std::string_view kOwn = "json_schema: ";
  if (text.starts_with(kOwn)) text.erase(0, kOwn.size());
  // Words that begin a complaint about the whole.
  const bool is_whole = text.starts_with("has ") || text.starts_with("is ") ||
                        text.starts_with("refers ") ||
                        text.starts_with("nests ") ||
                        text.starts_with("would ");
  throw Error(error.code(),
              str("tools: ", tool.place, is_whole ? " " : ".", text));
}

/// Arguments of the tool, as EBNF.
std::string arguments_grammar(const tools::Tool& tool,
                              tools::Notation notation) {
  const std::string schema = json_text(tool.parameters, JsonSpaces::kSpaced);
  if (notation == tools::Notation::kEscaped) {
    return escaped_grammar(JsonView(tool.parameters, "json_schema"));
  }
  Warnings warnings;
  std::string grammar = schema_grammar(schema, /*any_whitespace=*/false);
  if (!warnings.all().empty()) {
    throw Error(Code::kData, str("is not supported: ", warnings.all().front()));
  }
  return grammar;
}

/// `cost`: of the tools so far.
std::string tag_of(const tools::Tool& tool, const tools::CallSyntax& syntax,
                   std::int64_t& cost) {
  std::string grammar;
  try {
    grammar = arguments_grammar(tool, syntax.notation);
    cost += check_cost(grammar);
    if (cost > kMostCost) {
      throw Error(Code::kData,
                  "would, with the tools before it, take too long to prepare; "
                  "ask for shorter lengths, or give fewer tools");
    }
  } catch (const Error& error) {
    refuse(tool, error);
  } catch (const std::exception& error) {
    refuse(tool, Error(Code::kData, str("is not supported: ", error.what())));
  }
  return str(R"({"type": "tag", "begin": )",
             json_quoted(syntax.open + tool.name + syntax.middle),
             R"(, "content": {"type": "grammar", "grammar": )",
             json_quoted(grammar), R"(}, "end": )", json_quoted(syntax.close),
             "}");
}

}  // namespace

std::string calls_tag(const CallsAsked& asked,
                      const tools::CallSyntax& syntax) {
  std::string tags;
  std::int64_t cost = 0;
  for (const tools::Tool& tool : asked.tools) {
    tags += (tags.empty() ? "" : ", ") + tag_of(tool, syntax, cost);
  }
  // Free text until a call opens; or calls alone.
  const std::string form = asked.is_required && asked.are_many
                               ? str(R"("tags_with_separator", "separator": )",
                                     json_quoted(syntax.between))
                               : str(R"("triggered_tags", "triggers": [)",
                                     json_quoted(syntax.open), "]");
  return str(R"({"type": "structural_tag", "format": {"type": )", form,
             R"(, "tags": [)", tags, R"(], "at_least_one": )",
             asked.is_required ? "true" : "false", R"(, "stop_after_first": )",
             asked.are_many ? "false" : "true", "}}");
}

}  // namespace penstock::grammar
