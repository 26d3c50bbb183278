// Stages that are classes of Python: what pipeline files find beside those of
// plugins. Nothing in here needs the GIL.
#pragma once

#include <string>
#include <vector>

#include "penstock/pipeline_file.h"

namespace penstock::python {

/// The stage of that name that was declared last, or null. Lives as long as the
/// process.
[[nodiscard]] const StageSpec* find_own_stage(const std::string& name);
[[nodiscard]] std::vector<const StageSpec*> own_stages();

/// Those of Python and of another catalog, as one.
class OwnCatalog final : public StageCatalog {
 public:
  explicit OwnCatalog(StageCatalog& others) : others_(others) {}
  const StageSpec& find(const std::string& use) override;
  [[nodiscard]] std::vector<const StageSpec*> known() const override;

 private:
  StageCatalog& others_;
};

}  // namespace penstock::python
