// A pipeline file while it is loaded: stages in order, each with what is known
// of it so far.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/yaml_node.h"
#include "penstock/pipeline_file.h"

namespace penstock::config {

/// Where a `device:` or a `model:` was written.
struct ValuePlace {
  bool is_given = false;
  std::optional<Mark> at = {};
  std::string override = {};  ///< else this one's source and key
};

struct StageDraft {
  std::string key;  ///< "decode", "preprocess.0"
  StageKind kind = StageKind::kPreprocess;
  bool is_present = false;   ///< the file has its key
  bool is_in_place = false;  ///< its spec is known and of this kind
  bool is_complete = false;  ///< every param of the file could be read
  Mark use_at = {};
  StageConfig config = {};  ///< spec is nullptr where `use` is wrong
  std::shared_ptr<void> params = {};
  std::string conflict = {};       ///< between the params as the file has them
  std::string overridden_by = {};  ///< the last override that changed a param
  std::vector<std::string> notices = {};  ///< names that have changed
  ValuePlace device = {}, model = {};
  std::map<std::string, Mark> param_at = {};  ///< of those in the file
  /// False: they are its model's, which is not here.
  bool has_ports = true;

  void set(const ParamSpec& spec, const ParamValue& value,
           const std::string& source) {
    config.spec->params.set(params.get(), spec, value);
    config.settings[spec.name] = {value, source};
  }
};

/// Whether stages may be on devices between which something is copied.
struct CopiesSetting {
  bool is_denied = false;
  std::string source = {};
};

struct Draft {
  PipelineFile file = {};
  CopiesSetting copies = {};
  ValuePlace device = {}, model = {};
  std::vector<StageDraft> preprocess = {};
  StageDraft batch = {.key = "batch", .kind = StageKind::kBatch};
  StageDraft forward = {.key = "forward", .kind = StageKind::kForward};
  std::vector<StageDraft> rules = {};
  StageDraft decode = {.key = "decode", .kind = StageKind::kDecode};
  StageDraft postprocess = {.key = "postprocess",
                            .kind = StageKind::kPostprocess};

  /// Every stage, in order.
  [[nodiscard]] std::vector<StageDraft*> stages() {
    std::vector<StageDraft*> out;
    for (auto& stage : preprocess) out.push_back(&stage);
    for (auto* stage : {&batch, &forward}) out.push_back(stage);
    for (auto& stage : rules) out.push_back(&stage);
    for (auto* stage : {&decode, &postprocess}) out.push_back(stage);
    return out;
  }
};

}  // namespace penstock::config
