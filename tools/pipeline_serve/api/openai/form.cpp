#include "pipeline_serve/api/openai/form.h"

#include "pipeline_run/input/response_format.h"

namespace penstock::serve {
namespace {

/// What grammar.rule calls a schema in its complaints.
constexpr std::string_view kSchema = "json_schema: ";

void add_form(const TextModel& model, const Options& asked,
              const std::string& param, Options& options) {
  if (asked.empty()) return;
  if (model.option("json_schema") == nullptr) {
    throw HttpError(bad_request(
        str("the model '", model.name(), "' holds no answer to a form (", param,
            "); write a rule before its sampler: decode: [{use: grammar.rule}, "
            "{use: core.sample}]"),
        param));
  }
  for (const auto& [name, raw] : asked) options[name] = raw;
}

}  // namespace

std::string add_form_of_chat(const Body& body, const TextModel& model,
                             Options& options) {
  const std::string param = "response_format";
  if (const auto format = body.find(param)) {
    add_form(model, reading([&] { return run::format_options(*format); }),
             param, options);
  }
  return param + ".json_schema.schema";
}

std::string add_form_of_response(const Body& body, const TextModel& model,
                                 Options& options) {
  const std::string param = "text.format";
  const auto text = body.find("text");
  const auto format = text ? text->find("format") : std::nullopt;
  if (format) {
    add_form(model, reading([&] { return run::flat_format_options(*format); }),
             param, options);
  }
  return param + ".schema";
}

std::optional<HttpError> form_error(const Error& error,
                                    const std::string& schema_param) {
  const std::string text = error.text();
  if (schema_param.empty() || !text.starts_with(kSchema)) return std::nullopt;
  const std::string rest = text.substr(kSchema.size());
  const std::string place = place_of(rest);
  const bool is_whole = place.empty() || place[0] == '[';
  return bad_request(str(schema_param,
                         place.empty() ? " "
                         : is_whole    ? ""
                                       : ".",
                         rest),
                     str(schema_param, is_whole ? "" : ".", place));
}

}  // namespace penstock::serve
