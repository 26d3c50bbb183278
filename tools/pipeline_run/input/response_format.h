// OpenAI's `response_format`, the form that an answer is to have, as options of
// grammar.rule.
#pragma once

#include <map>
#include <string>

#include "penstock/json.h"
#include "penstock/params.h"

namespace penstock::run {

/// {"type": "text"}, {"type": "json_object"}, or {"type": "json_schema",
/// "json_schema": {"name": ..., "schema": {...}, "strict": true}}. Nothing for
/// a text. Answers are held to a schema whether `strict` or not. Throws
/// Error(kData), from the view that is wrong.
[[nodiscard]] std::map<std::string, Raw> format_options(const JsonView& format);

/// Of `text.format` of a response, where name, schema and strict stand beside
/// the type.
[[nodiscard]] std::map<std::string, Raw> flat_format_options(
    const JsonView& format);

/// What to do about a pipeline's complaint that it does not know an option of a
/// rule; "" for others.
[[nodiscard]] std::string rule_advice(const std::string& complaint);

}  // namespace penstock::run
