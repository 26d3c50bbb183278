// A file with `steps:` instead of the five stages: pipelines by name, and which
// of them gets what another one writes.
//
//   steps:
//     speech: {pipeline: speech_to_text.yaml}
//     answer:
//       pipeline: gemma_text.yaml
//       in: {text: {each: speech}}
//       set: {decode.max_new_tokens: 48}
//
// Needs no tensors, no weights and no device.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "penstock/pipeline_file.h"

namespace penstock {

/// Where a step's input comes from: one of the two is empty.
struct InputEdge {
  std::string input;  ///< the request's input of this name
  std::string each;   ///< the step whose every output becomes a request
};

struct StepConfig {
  std::string name;
  PipelineFile file;
  /// By the name of the step's input; empty: all that the request has.
  std::map<std::string, InputEdge> in;

  /// The step above whose outputs it takes; "": none.
  [[nodiscard]] PENSTOCK_API std::string source() const;
};

struct CompositionFile {
  std::filesystem::path path;
  std::string name;  ///< the file name's stem where none is written
  std::vector<StepConfig> steps;    ///< each after those it takes outputs of
  std::vector<InputConfig> inputs;  ///< options as "step.param"

  /// Position of the step; -1: there is none.
  [[nodiscard]] PENSTOCK_API int find(const std::string& step) const;
  /// A pipeline alone: one step, without a name.
  [[nodiscard]] bool is_one() const {
    return steps.size() == 1 && steps.front().name.empty();
  }
};

/// A pipeline as a composition of one step, without a name.
[[nodiscard]] PENSTOCK_API CompositionFile composition_of(PipelineFile file);

/// The path that `pipeline:` means, seen from the composition's folder. Throws
/// Error(kNotFound).
using FindPipeline = std::function<std::filesystem::path(
    const std::string& name, const std::filesystem::path& folder)>;

/// Reads a file with `steps:`, and those of its steps, or without: that is
/// composition_of(). Throws as load_pipeline_file(). Overrides for a file with
/// `steps:`: "step.stage.param" is for one step, "device" and "threads" are for
/// every step. Without `find` a step's file lies in the composition's folder.
[[nodiscard]] PENSTOCK_API CompositionFile load_file(
    const std::filesystem::path& path, StageCatalog& catalog,
    const std::vector<Override>& overrides = {}, const FindPipeline& find = {});

/// What submit() checks of a request's options: for each step its own, without
/// the step's name; a pipeline alone has all of them. Throws Error(kData) for
/// one that names no step.
[[nodiscard]] PENSTOCK_API std::vector<std::map<std::string, Raw>>
options_of_steps(const CompositionFile& file,
                 const std::map<std::string, Raw>& options);

}  // namespace penstock
