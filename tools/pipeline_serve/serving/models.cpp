#include "pipeline_serve/serving/models.h"

#include <algorithm>
#include <utility>

#include "penstock/params.h"

namespace penstock::serve {

void Models::add(std::unique_ptr<Served> served) {
  all_.push_back(std::move(served));
}

Served* Models::find(const std::string& name) const {
  for (const auto& each : all_) {
    if (each->name() == name) return each.get();
  }
  return nullptr;
}

bool Models::is_ready() const {
  return std::all_of(all_.begin(), all_.end(), [](const auto& each) {
    return each->is_ready() && !each->is_closed();
  });
}

const StageConfig* stage_of_option(const PipelineFile& file,
                                   const std::string& name) {
  for (const StageConfig* stage : file.stages()) {
    const ParamSpec* spec =
        stage->spec == nullptr ? nullptr : stage->spec->params.find(name);
    if (spec != nullptr && spec->is_per_request) return stage;
  }
  return nullptr;
}

Served& model_named(const Models& models, const std::string& name) {
  if (Served* found = models.find(name)) return *found;
  std::vector<std::string> names;
  for (const auto& each : models.all()) names.push_back(each->name());
  throw http_error(404,
                   str("the model '", name.substr(0, 200),
                       "' is not served here", suggestion(name, names)),
                   "model", "model_not_found");
}

}  // namespace penstock::serve
