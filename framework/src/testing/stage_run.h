// A pipeline of tested stages and fakes, that can run again and with several
// requests at once.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "penstock/runner.h"
#include "penstock/testing/run_stage.h"
#include "testing/fakes.h"

namespace penstock::testing {

/// The first stage that a test's text names. Throws Error where there is none.
[[nodiscard]] const StageSpec& first_stage(const std::string& yaml,
                                           StageCatalog& catalog);
/// `yaml` of one stage, under the key of its kind.
[[nodiscard]] std::string under_its_key(const std::string& yaml,
                                        StageCatalog& catalog);

class StageRun {
 public:
  /// Opens the stages. `yaml` has the keys that are no fakes.
  StageRun(const std::string& yaml, Given given);
  StageRun(const StageRun&) = delete;
  StageRun& operator=(const StageRun&) = delete;
  ~StageRun();

  /// Runs so many requests alike at once. Throws the first error.
  [[nodiscard]] std::vector<Made> run(int count);

  /// As it was loaded and checked.
  [[nodiscard]] const PipelineFile& file() const { return file_; }

 private:
  class Watcher;
  const Given given_;
  LinkedCatalog real_;
  FakeCatalog catalog_;
  PipelineFile file_;
  std::unique_ptr<Watcher> watcher_;
  std::unique_ptr<Runner> runner_;
};

}  // namespace penstock::testing
