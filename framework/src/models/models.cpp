#include "penstock/models.h"

#include <nlohmann/json.hpp>

#include "models/home.h"
#include "models/models_json.h"

namespace penstock {

std::vector<KnownModel> known_models() {
  std::vector<KnownModel> models;
  const auto list = nlohmann::json::parse(kModelsJson);
  for (const auto& entry : list.at("models")) {
    models.push_back({.name = entry.at("name"),
                      .file = entry.at("file"),
                      .size = entry.at("size"),
                      .sha256 = entry.at("sha256"),
                      .licence = entry.at("licence")});
  }
  return models;
}

std::filesystem::path cache_folder() {
  if (const auto cache = environment("PENSTOCK_CACHE"); !cache.empty()) {
    return cache;
  }
  if (const auto xdg = environment("XDG_CACHE_HOME"); !xdg.empty()) {
    return std::filesystem::path(xdg) / "penstock";
  }
  return home_folder() / ".cache" / "penstock";
}

std::filesystem::path model_path(const KnownModel& model) {
  return cache_folder() / "models" / model.name / model.file;
}

}  // namespace penstock
