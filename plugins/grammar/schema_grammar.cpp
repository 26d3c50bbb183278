#include "grammar/schema_grammar.h"

#include <xgrammar/xgrammar.h>

#include "grammar/ebnf_edit.h"
#include "grammar/schema_check.h"
#include "grammar/schema_lower.h"

namespace penstock::grammar {

std::string schema_grammar(const std::string& schema, bool any_whitespace) {
  const JsonValue parsed = parse_schema(schema);
  const JsonView root(parsed, "json_schema");
  check_schema(root);
  const LoweredSchema lowered = lower_schema(root, schema);
  const auto grammar =
      xgrammar::Grammar::FromJSONSchema(lowered.text, any_whitespace);
  return edit_ebnf(grammar.ToString(), lowered);
}

}  // namespace penstock::grammar
