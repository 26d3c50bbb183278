// The form that an answer is to have: JSON, or JSON of a schema. grammar.rule
// holds answers to it, where the pipeline has that.
#pragma once

#include "pipeline_serve/api/openai/options.h"

namespace penstock::serve {

/// Sets what `response_format` of a chat asks for. Gives the member that a
/// complaint about the schema is about. Throws HttpError.
std::string add_form_of_chat(const Body& body, const TextModel& model,
                             Options& options);
/// The same of `text.format` of a response.
std::string add_form_of_response(const Body& body, const TextModel& model,
                                 Options& options);

/// A rule's complaint, "json_schema: properties.a is ...", as one about
/// `schema_param`; nothing: it is another error.
[[nodiscard]] std::optional<HttpError> form_error(
    const Error& error, const std::string& schema_param);

}  // namespace penstock::serve
