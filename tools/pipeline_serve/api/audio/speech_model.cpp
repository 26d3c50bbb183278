#include "pipeline_serve/api/audio/speech_model.h"

#include <algorithm>

#include "pipeline_run/input/files.h"
#include "pipeline_serve/api/openai/body.h"
#include "pipeline_serve/api/openai/generation.h"

namespace penstock::serve {
namespace {

/// Subtitles: what is said, and when.
bool writes_subtitles(const StageSpec& spec) {
  const ParamSpec* format = spec.params.find("format");
  if (format == nullptr || !format->is_per_request) return false;
  const auto& choices = format->choices;
  return std::find(choices.begin(), choices.end(), "srt") != choices.end();
}

bool is_of(const Error& error, const StageSpec& spec) {
  const auto& places = error.places();
  return std::any_of(places.begin(), places.end(), [&](const Place& place) {
    return place.kind == Place::Kind::kStage && place.detail == spec.name;
  });
}

RawScalar quoted(const std::string& text) {
  return {.text = text, .quoted = true};
}

}  // namespace

SpeechModel::SpeechModel(const Models& models, const std::string& name)
    : served_(model_named(models, name)) {
  const CompositionFile& all = served_->file();
  const auto ports = run::media_ports(all);
  const bool is_speech = all.is_one() && ports.size() == 1 &&
                         writes_subtitles(*all.steps[0].file.postprocess.spec);
  if (!is_speech) {
    throw HttpError(bad_request(
        str("the model '", name, "' does not write down speech"), "model"));
  }
  file_ = &all.steps[0].file;
  input_ = ports.front().name;
}

std::map<std::string, Raw> SpeechModel::options(
    const SpeechOptions& wanted) const {
  std::map<std::string, Raw> out;
  const auto put = [&](const char* name, const RawScalar& value,
                       const char* theirs) {
    if (stage_of_option(*file_, name) == nullptr) {
      throw HttpError(bad_request(str("the model '", served_->name(),
                                      "' has no '", theirs, "' to choose"),
                                  theirs));
    }
    out[name] = value;
  };
  put("format", quoted(wanted.format), "response_format");
  if (wanted.has_details) put("details", {.text = "true"}, "response_format");
  if (!wanted.language.empty()) {
    put("language", quoted(wanted.language), "language");
  }
  if (!wanted.temperature.empty()) {
    put("temperature", {.text = wanted.temperature}, "temperature");
  }
  if (wanted.is_translation) put("task", quoted("translate"), "model");
  return out;
}

std::string SpeechModel::language() const {
  const StageConfig* stage = stage_of_option(*file_, "language");
  if (stage == nullptr) return "";
  const auto* text =
      std::get_if<std::string>(&stage->settings.at("language").value);
  return text == nullptr ? "" : *text;
}

HttpError SpeechModel::error(const Report& report,
                             const SpeechOptions& wanted) const {
  const StageConfig* told = stage_of_option(*file_, "language");
  const bool is_of_language =
      report.error && told != nullptr && is_of(*report.error, *told->spec);
  std::string param = "file";
  if (is_of_language) param = wanted.is_translation ? "model" : "language";
  return error_of(report, {.prompt = param}, /*context_length=*/0);
}

}  // namespace penstock::serve
