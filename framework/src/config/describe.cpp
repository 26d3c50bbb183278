#include "config/describe.h"

#include <exception>

#include "penstock/error.h"

namespace penstock::config {
namespace {

/// The place of the param that a text is about ("names: ..."), else of the
/// model.
void refuse(const std::string& text, const StageDraft& stage,
            const Draft& draft, Problems& problems) {
  const std::string full = stage.config.spec->name + ": " + text;
  const std::string param = text.substr(0, text.find(':'));
  if (const auto at = stage.param_at.find(param); at != stage.param_at.end()) {
    problems.add(at->second, full);
    return;
  }
  if (stage.config.spec->params.find(param) != nullptr &&
      !stage.overridden_by.empty()) {
    problems.add_override(stage.overridden_by, full);
    return;
  }
  const ValuePlace& model = stage.model.is_given ? stage.model : draft.model;
  if (!model.override.empty()) {
    problems.add_override(model.override, full);
  } else {
    problems.add(model.at.value_or(stage.use_at), full);
  }
}

void describe(StageDraft& stage, const Draft& draft, Problems& problems) {
  const auto& file_model = std::get<std::string>(draft.file.model.value);
  const std::string& model =
      stage.config.model_source.empty() ? file_model : stage.config.model;
  stage.has_ports = false;
  if (model.empty() && !stage.config.spec->describes_params) return;
  auto own = std::make_shared<StageSpec>(*stage.config.spec);
  try {
    Ports ports = own->describe(stage.params.get(), model);
    own->inputs = std::move(ports.inputs);
    own->outputs = std::move(ports.outputs);
  } catch (const Error& error) {
    if (error.code() == Code::kNotFound) return;
    refuse(error.text(), stage, draft, problems);
    return;
  } catch (const std::exception& error) {
    refuse(str("it cannot tell its ports: ", error.what()), stage, draft,
           problems);
    return;
  }
  stage.config.described = std::move(own);
  stage.config.spec = stage.config.described.get();
  stage.has_ports = true;
}

}  // namespace

bool describe_stages(Draft& draft, Problems& problems) {
  bool is_any = false;
  for (StageDraft* stage : draft.stages()) {
    const bool can = stage->is_in_place && stage->is_complete &&
                     stage->config.spec->describe;
    if (!can) continue;
    is_any = true;
    describe(*stage, draft, problems);
  }
  return is_any;
}

}  // namespace penstock::config
