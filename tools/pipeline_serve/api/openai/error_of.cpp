// How a pipeline's ends look over HTTP.
#include <algorithm>

#include "penstock/too_long.h"
#include "pipeline_serve/api/openai/form.h"
#include "pipeline_serve/api/openai/generation.h"
#include "pipeline_serve/api/openai/options.h"
#include "pipeline_serve/api/openai/tool_request.h"

namespace penstock::serve {
namespace {

HttpError too_long(const Error& error, std::int64_t context_length) {
  // Behind the ';' stands what to do on a command line.
  const std::string text = error.text();
  HttpError out = bad_request(text.substr(0, text.find(';')));
  if (context_length > 0) {
    out.message += str("; the model's context length is ", context_length,
                       " tokens, of which the answer needs one");
  }
  out.code = "context_length_exceeded";
  return out;
}

bool is_of_preprocess(const Error& error) {
  const auto& places = error.places();
  return std::any_of(places.begin(), places.end(), [](const Place& place) {
    return place.kind == Place::Kind::kStage &&
           place.name.starts_with("preprocess");
  });
}

HttpError wrong_data(const Error& error, const std::string& prompt_param,
                     std::int64_t context_length) {
  if (is_too_wide(error)) return bad_request(error.text(), "n");
  HttpError out;
  if (is_too_long(error)) {
    out = too_long(error, context_length);
  } else {
    out = option_error(error);
    if (!out.param.empty()) return out;
    if (!is_of_preprocess(error)) {
      return http_error(500, "something failed here");
    }
  }
  out.param = prompt_param;
  return out;
}

}  // namespace

HttpError error_of(const Report& report, const Blamed& blamed,
                   std::int64_t context_length) {
  if (report.ending == Ending::kDeadline) {
    return http_error(504, "the request took longer than it may", "",
                      "deadline_exceeded");
  }
  if (report.ending == Ending::kCancelled || !report.error) {
    return http_error(503, "the request was cancelled", "", "cancelled");
  }
  switch (report.error->code()) {
    case Code::kUsage:
    case Code::kData:
      if (auto error = tools_error(*report.error, blamed.tools)) {
        return *error;
      }
      if (auto error = form_error(*report.error, blamed.schema)) return *error;
      return wrong_data(*report.error, blamed.prompt, context_length);
    case Code::kRetry:
    case Code::kUnavailable:
      return http_error(503, "this may work later", "", "unavailable");
    default:
      return http_error(500, "something failed here");
  }
}

}  // namespace penstock::serve
