// The pipelines that are served, by name.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pipeline_serve/serving/served.h"

namespace penstock::serve {

class Models {
 public:
  void add(std::unique_ptr<Served> served);
  /// Null: none of that name.
  [[nodiscard]] Served* find(const std::string& name) const;
  [[nodiscard]] const std::vector<std::unique_ptr<Served>>& all() const {
    return all_;
  }
  [[nodiscard]] bool is_ready() const;  ///< every one

 private:
  std::vector<std::unique_ptr<Served>> all_;
};

/// The model of a request's `model`; HttpError 404 model_not_found that names
/// it, or 400 where it is no text (param: model).
[[nodiscard]] Served& model_named(const Models& models,
                                  const std::string& name);

/// The stage whose param a request's option of that name sets; null: none.
[[nodiscard]] const StageConfig* stage_of_option(const PipelineFile& file,
                                                 const std::string& name);

}  // namespace penstock::serve
