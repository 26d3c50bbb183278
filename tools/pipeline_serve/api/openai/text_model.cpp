#include "pipeline_serve/api/openai/text_model.h"

#include "penstock/keys.h"
#include "pipeline_run/input/files.h"
#include "pipeline_serve/api/openai/body.h"

namespace penstock::serve {
namespace {

std::vector<std::string> options_that_chat(const PipelineFile& file) {
  std::vector<std::string> names;
  const auto& stages = file.preprocess;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const ParamSpec* chat = stages[i].spec->params.find(Ability::kChats);
    if (chat == nullptr || !chat->is_per_request) continue;
    names.push_back(
        (stages.size() == 1 ? "preprocess." : str("preprocess.", i, ".")) +
        chat->name);
  }
  return names;
}

}  // namespace

TextModel::TextModel(const Models& models, const std::string& name,
                     bool must_chat)
    : served_(model_named(models, name)) {
  const CompositionFile& all = served_->file();
  const bool is_text = all.is_one() && run::media_ports(all).empty();
  if (is_text) file_ = &all.steps[0].file;
  if (!is_text || option("max_new_tokens") == nullptr) {
    throw HttpError(bad_request(
        str("the model '", this->name(), "' does not write text to a text"),
        "model"));
  }
  chat_options_ = options_that_chat(*file_);
  if (must_chat && chat_options_.empty()) {
    throw HttpError(bad_request(
        str("the model '", this->name(), "' reads no conversations"), "model"));
  }
}

const ParamSpec* TextModel::option(const std::string& name) const {
  const StageConfig* stage = stage_of_option(*file_, name);
  return stage == nullptr ? nullptr : stage->spec->params.find(name);
}

std::optional<ParamValue> TextModel::setting(const std::string& name) const {
  const StageConfig* stage = stage_of_option(*file_, name);
  if (stage == nullptr) return std::nullopt;
  const auto found = stage->settings.find(name);
  if (found == stage->settings.end()) return std::nullopt;
  return found->second.value;
}

bool TextModel::is_written(const std::string& name) const {
  const StageConfig* stage = stage_of_option(*file_, name);
  if (stage == nullptr) return false;
  const auto found = stage->settings.find(name);
  return found != stage->settings.end() && found->second.source != "default";
}

std::int64_t TextModel::context_length() const {
  return get_or(served_->runner().facts(), kContextLength, 0);
}

std::int64_t TextModel::vocabulary() const {
  return get_or(served_->runner().facts(), kVocabSize, 0);
}

}  // namespace penstock::serve
