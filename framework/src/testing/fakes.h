// The stages that stand in a test's pipeline where the tested one has none
// beside it. Their ports are what their neighbours ask for.
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "penstock/testing/run_stage.h"

namespace penstock::testing {

/// The stages of a test's text, by kind; empty: a fake stands there.
using Named = std::map<StageKind, std::vector<const StageSpec*>>;

class FakeCatalog final : public StageCatalog {
 public:
  /// Both must outlive the pipelines made of it.
  FakeCatalog(StageCatalog& real, const Given& given)
      : real_(real), given_(given) {}

  /// Makes `fake.preprocess` ... `fake.postprocess` to fit what is named.
  void make_fakes(const Named& named);
  const StageSpec& find(const std::string& use) override;
  [[nodiscard]] std::vector<const StageSpec*> known() const override {
    return real_.known();
  }

 private:
  StageSpec& add(StageKind kind);
  void add_preprocess(const Named& named);
  void add_batch(const Named& named);
  void add_forward(const Named& named);
  void add_decode(const Named& named);
  void add_postprocess(const Named& named);

  StageCatalog& real_;
  const Given& given_;
  std::deque<StageSpec> fakes_;
};

/// The notes of that list as a stage declares them.
[[nodiscard]] std::vector<NoteSpec> specs_of(const Notes& notes);

}  // namespace penstock::testing
