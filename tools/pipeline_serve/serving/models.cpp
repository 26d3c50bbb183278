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

Served& model_named(const Models& models, const std::string& name) {
  if (Served* found = models.find(name)) return *found;
  std::vector<std::string> names;
  for (const auto& each : models.all()) names.push_back(each->name());
  HttpError error;
  error.status = 404;
  error.message = str("the model '", name.substr(0, 200),
                      "' is not served here", suggestion(name, names));
  error.param = "model";
  error.code = "model_not_found";
  throw HttpError(error);
}

}  // namespace penstock::serve
