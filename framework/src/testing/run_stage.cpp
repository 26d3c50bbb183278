#include "penstock/testing/run_stage.h"

#include "testing/stage_run.h"

namespace penstock::testing {

Made run_stages(const std::string& yaml, const Given& given) {
  StageRun run(yaml, given);
  return std::move(run.run(1).front());
}

Made run_stage(const std::string& yaml, const Given& given) {
  LinkedCatalog catalog;
  return run_stages(under_its_key(yaml, catalog), given);
}

}  // namespace penstock::testing
