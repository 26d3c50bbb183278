// What plugs together: the pipelines that can be made of the stages that there
// are, by their ports, layouts, notes and facts.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "penstock/pipeline_file.h"

namespace penstock::fresh {

/// The stages of a pipeline, by name.
struct Choice {
  std::vector<std::string> preprocess;
  std::string batch, forward, decode, postprocess;

  /// One of the last four.
  [[nodiscard]] std::string& of(StageKind kind);
  [[nodiscard]] const std::string& of(StageKind kind) const;
};

class Fitting {
 public:
  /// `stages`: all that there are; `wanted`: names that must be in it.
  Fitting(StageCatalog& catalog, std::vector<const StageSpec*> stages,
          const std::vector<std::string>& wanted);

  /// The simplest pipeline with what is wanted. Throws Error(kData) that says
  /// what fits and what does not.
  [[nodiscard]] Choice best() const;
  /// The stages that could stand in that place instead.
  [[nodiscard]] std::vector<std::string> others(const Choice& choice,
                                                StageKind kind) const;

 private:
  using Specs = std::vector<const StageSpec*>;
  [[nodiscard]] Specs candidates(StageKind kind) const;
  [[nodiscard]] std::vector<Specs> chains(const StageSpec& forward) const;
  [[nodiscard]] Specs batches(const StageSpec& forward) const;
  [[nodiscard]] std::vector<Choice> choices(const StageSpec& forward) const;
  [[nodiscard]] bool fits(const Choice& choice, std::string* problem) const;

  StageCatalog& catalog_;
  Specs stages_;
  std::map<StageKind, Specs> wanted_;
};

/// The pipeline file of that name; `input` is what a request has.
[[nodiscard]] std::string pipeline_text(const std::string& name,
                                        const Choice& choice,
                                        const std::string& input);

}  // namespace penstock::fresh
