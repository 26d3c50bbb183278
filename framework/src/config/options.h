// Per-request options: which param of which stage a name means.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "penstock/pipeline_file.h"

namespace penstock::config {

struct Option {
  std::size_t stage = 0;  ///< place among PipelineFile::stages()
  const ParamSpec* spec = nullptr;
};

/// Throws Error(kData) for a name that is unknown, not per-request, or shared
/// by stages and written without one.
[[nodiscard]] Option find_option(const PipelineFile& file,
                                 const std::string& name);

/// Options over the params of a file; copies a stage's struct on first use.
class Overlay {
 public:
  explicit Overlay(const PipelineFile& file);

  void set(const Option& option, const ParamValue& value);
  /// What is wrong between the params of a changed stage, or "".
  [[nodiscard]] std::string conflict() const;
  [[nodiscard]] std::vector<std::shared_ptr<const void>> take() &&;

 private:
  std::vector<const StageConfig*> stages_;
  std::vector<std::shared_ptr<void>> changed_;  // nullptr: as in the file
};

}  // namespace penstock::config
